internal import CLinux
internal import Glibc

/// What the kernel tells about a file: statx(2).
public struct FileStatus: Hashable, Sendable {
  /// The device it is on, major and minor number in the upper and the lower half.
  public var device: UInt64
  /// The inode's number on that device.
  public var inode: UInt64
  /// The file type and the permissions (inode(7)).
  public var mode: UInt32
  /// How many names it has.
  public var links: UInt32
  /// The owner.
  public var uid: UInt32
  /// The owning group.
  public var gid: UInt32
  /// The length in bytes.
  public var size: UInt64
  /// Units of 512 bytes that are allocated.
  public var blocks: UInt64
  /// Of a device node: the device it stands for.
  public var special: (major: UInt32, minor: UInt32) { (specialMajor, specialMinor) }
  private var specialMajor: UInt32
  private var specialMinor: UInt32
  /// Last change of the content.
  public var modified: Timestamp
  /// Last change of the inode.
  public var changed: Timestamp
  /// When it was made, where the file system knows.
  public var created: Timestamp?
  /// Flags as chattr(1) numbers them, as far as statx(2) tells: immutable, append, nodump.
  public var flags: UInt32
  /// Whether it is the root of a mount; false where the kernel (before 5.8) doesn't tell.
  public var isMountRoot: Bool
  /// Whether the kernel tells mount roots at all.
  public var knowsMountRoot: Bool

  init(_ raw: clinux_file_status) {
    device = raw.device
    inode = raw.inode
    mode = raw.mode
    links = raw.links
    uid = raw.uid
    gid = raw.gid
    size = raw.size
    blocks = raw.blocks
    specialMajor = raw.special_major
    specialMinor = raw.special_minor
    modified = Timestamp(seconds: raw.seconds.1, nanoseconds: raw.nanoseconds.1)
    changed = Timestamp(seconds: raw.seconds.2, nanoseconds: raw.nanoseconds.2)
    created =
      raw.has_birth != 0
      ? Timestamp(seconds: raw.seconds.3, nanoseconds: raw.nanoseconds.3) : nil
    // STATX_ATTR_IMMUTABLE, _APPEND and _NODUMP have the numbers of FS_IMMUTABLE_FL and so on.
    flags = UInt32(raw.attributes & 0x70)
    let mountRoot: UInt64 = 0x2000
    isMountRoot = raw.attributes & mountRoot != 0
    knowsMountRoot = raw.attributes_mask & mountRoot != 0
  }

  /// The file type's bits of the mode.
  public var type: UInt32 { mode & UInt32(S_IFMT) }
  /// Whether it is a regular file.
  public var isRegular: Bool { type == UInt32(S_IFREG) }
  /// Whether it is a directory.
  public var isDirectory: Bool { type == UInt32(S_IFDIR) }
  /// Whether it is a symbolic link.
  public var isSymbolicLink: Bool { type == UInt32(S_IFLNK) }
}

// Calls on names of any bytes, relative to an open directory, that follow no symbolic link.
extension Descriptor {
  /// The status of what is open.
  public func status() throws(SystemError) -> FileStatus {
    var raw = clinux_file_status()
    try checked("stat", name) { clinux_statx(self.raw, "", &raw) }
    return FileStatus(raw)
  }

  /// The inode's flags as chattr(1) numbers them (ioctl_iflags(2)); nil where the file system has
  /// none to tell.
  public func inodeFlags() -> UInt32? {
    var flags: UInt32 = 0
    return clinux_inode_flags(raw, &flags) == 0 ? flags : nil
  }

  /// The number that tells which sort of file system this is on: statfs(2), linux/magic.h.
  public func fileSystemMagic() throws(SystemError) -> UInt32 {
    var magic: UInt32 = 0
    try checked("examine the file system of", name) { clinux_fs_magic(raw, &magic) }
    return magic
  }

  /// The status of a name in this directory, no symbolic link followed.
  public func status(of entry: [UInt8]) throws(SystemError) -> FileStatus {
    var raw = clinux_file_status()
    let terminated = Self.terminated(entry)
    try checked("stat", path(of: entry)) { clinux_statx(self.raw, terminated, &raw) }
    return FileStatus(raw)
  }

  /// Opens a name in this directory, close-on-exec; a symbolic link is refused (`ELOOP`).
  public func open(_ entry: [UInt8], _ mode: Mode) throws(SystemError) -> Descriptor {
    let terminated = Self.terminated(entry)
    let flags = mode.union(.noFollow).rawValue | O_CLOEXEC
    let opened = try checked("open", path(of: entry)) {
      clinux_openat(self.raw, terminated, flags, 0)
    }
    return Descriptor(owning: opened, name: path(of: entry))
  }

  /// What a symbolic link in this directory says.
  public func linkTarget(of entry: [UInt8]) throws(SystemError) -> [UInt8] {
    let terminated = Self.terminated(entry)
    var buffer = [CChar](repeating: 0, count: 4097)
    let count = try checked("read link", path(of: entry)) {
      readlinkat(raw, terminated, &buffer, buffer.count)
    }
    return buffer[..<count].map { UInt8(bitPattern: $0) }
  }

  /// The names in this directory, in the kernel's order, without `.` and `..`.
  ///
  /// Reads from the directory's start; call it once on a descriptor.
  public func entryNames() throws(SystemError) -> [[UInt8]] {
    let copy = try checked("read directory", name) { clinux_fcntl_int(raw, F_DUPFD_CLOEXEC, 0) }
    guard let stream = fdopendir(copy) else {
      let number = errno
      close(copy)
      throw SystemError("read directory", name, errno: number)
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { [UInt8]($0.prefix { $0 != 0 }) }
      if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
    }
    if errno != 0 { throw SystemError("read directory", name, errno: errno) }
    return names
  }

  /// The extended attributes of a name in this directory, in the kernel's order.
  ///
  /// An empty name asks for the directory itself. None where the file system has no such thing.
  public func extendedAttributes(
    of entry: [UInt8]
  ) throws(SystemError) -> [(name: [UInt8], value: [UInt8])] {
    // There are no calls relative to a descriptor that work on links and on files that can't be
    // opened, but /proc leads through the descriptor.
    let path = Self.terminated(Array("/proc/self/fd/\(raw)/".utf8) + entry)
    var list = [CChar](repeating: 0, count: 1024)
    var count = clinux_llistxattr(path, &list, UInt(list.count))
    if count < 0, errno == ERANGE {
      list = [CChar](repeating: 0, count: 65536)
      count = clinux_llistxattr(path, &list, UInt(list.count))
    }
    if count < 0 {
      if errno == ENOTSUP { return [] }
      throw SystemError("list extended attributes of", self.path(of: entry), errno: errno)
    }
    if count == 0 { return [] }
    let names = list[..<count].map { UInt8(bitPattern: $0) }.split(separator: 0)
    var found: [(name: [UInt8], value: [UInt8])] = []
    for name in names {
      let attribute = Self.terminated(Array(name))
      var value = [UInt8](repeating: 0, count: 65536)
      let size = clinux_lgetxattr(path, attribute, &value, UInt(value.count))
      if size < 0 {
        // Taken away since it was listed.
        if errno == ENODATA { continue }
        throw SystemError("read an extended attribute of", self.path(of: entry), errno: errno)
      }
      found.append((Array(name), Array(value[..<size])))
    }
    return found
  }

  /// The next stretch of a file that holds data, from an offset on; nil where only a hole is left.
  ///
  /// A file system that doesn't know holes answers with all that is left.
  public func nextData(from offset: Int) throws(SystemError) -> Range<Int>? {
    let start = clinux_seek_extent(raw, Int64(offset), 0)
    if start < 0 {
      if errno == ENXIO { return nil }
      throw SystemError("find data in", name, errno: errno)
    }
    let end = try checked("find a hole in", name) { clinux_seek_extent(raw, start, 1) }
    return end > start ? Int(start)..<Int(end) : nil
  }

  private static func terminated(_ name: [UInt8]) -> [CChar] {
    name.map { CChar(bitPattern: $0) } + [0]
  }

  private func path(of entry: [UInt8]) -> String {
    name + "/" + String(decoding: entry, as: UTF8.self)
  }
}
