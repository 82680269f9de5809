internal import CLibarchive

/// The version of libarchive that runs and those of what it decompresses with, such as
/// `libarchive 3.6.2 zlib/1.2.13 liblzma/5.4.1`.
public func libarchiveVersion() -> String { String(cString: archive_version_details()) }
