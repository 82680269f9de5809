/// An archive that could not be read or written: what, where in it, and why.
public struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of thing went wrong.
  public enum Kind: Hashable, Sendable {
    /// The host refused to read or write.
    case system
    /// It holds nothing at all.
    case empty
    /// It is no tar archive, or its compression is unknown.
    case notAnArchive
    /// It is damaged or cut short.
    case damaged
    /// It goes over one of `ArchiveLimits`, named here.
    case limit(String)
    /// It can't be written as asked.
    case unwritable
  }

  /// What kind of thing went wrong.
  public let kind: Kind
  /// The archive's name.
  public let archive: String
  /// The entry's path, where one had been read.
  public let path: [UInt8]?
  /// Where in the uncompressed archive reading stopped, in bytes.
  public let offset: Int
  /// The reason in libarchive's words, or ours.
  public let reason: String

  /// The sentence for the user: operation, object, place, reason and the way on.
  public var description: String {
    let verb = kind == .unwritable ? "write" : "read"
    var text = "cannot \(verb) \(archive): "
    if let path { text += "entry '\(printable(path))' " }
    if kind != .unwritable { text += "at byte \(offset): " }
    text += reason
    switch kind {
    case .system, .unwritable: break
    case .empty: text += "; check what should have written it"
    case .notAnArchive: text += "; give a tar archive, compressed or not"
    case .damaged: text += "; make or copy the archive again"
    case .limit(let name): text += "; raise \(name) if you trust where it comes from"
    }
    return text
  }
}

/// A guest's file name for the eye: control characters, quotes and what is not UTF-8 as `\xNN`.
///
/// Never for anything but messages: two names may look alike.
public func printable(_ name: [UInt8]) -> String {
  var text = ""
  for scalar in String(decoding: name, as: UTF8.self).unicodeScalars {
    if scalar == "\u{fffd}" { return escaped(name) }
    let isPlain = scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar != "\\"
    if isPlain { text.unicodeScalars.append(scalar) } else { return escaped(name) }
  }
  return text
}

private func escaped(_ name: [UInt8]) -> String {
  name.map { byte in
    if (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") {
      return String(UnicodeScalar(byte))
    }
    return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}
