internal import FileTree

/// A guest path for messages; the root is `/`.
func shown(_ path: some Sequence<UInt8>) -> String {
  let text = printable(path)
  return text.isEmpty ? "/" : text
}

/// A path's parts; leading, trailing and double slashes and `.` make no difference.
func pathParts(_ path: some Collection<UInt8>) -> [[UInt8]] {
  path.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [0x2e] }
}

/// Paths whose content, not the directory itself, is a running system's and never an image's.
let volatileDirectories: [[UInt8]] = ["proc", "sys", "run", "tmp"].map { Array($0.utf8) }

extension FileTree {
  /// A small text file as lines; nil where it is missing or its content is not in the tree.
  func lines(of path: String) -> [String]? {
    bytes(of: path).map { bytes in
      var lines = String(decoding: bytes, as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      if lines.last == "" { lines.removeLast() }
      return lines
    }
  }

  /// A file's bytes where they are held in the tree, symbolic links of the guest followed.
  func bytes(of path: String) -> [UInt8]? {
    // A loop of links is as good as no file.
    guard let found = try? resolve(path), case .regular(.bytes(let bytes)) = kind(of: found) else {
      return nil
    }
    return bytes
  }

  /// The names in a directory, symbolic links of the guest followed; none where there is no such
  /// directory.
  func names(in path: String) -> [String] {
    // A loop of links is as good as no directory.
    guard let node = try? resolve(path) else { return [] }
    return children(of: node).map { String(decoding: $0.name, as: UTF8.self) }
  }

  /// Whether anything stands at a path, symbolic links of the guest followed.
  func has(_ path: String) -> Bool {
    // A loop of links is as good as no file.
    (try? resolve(path)) != nil
  }
}
