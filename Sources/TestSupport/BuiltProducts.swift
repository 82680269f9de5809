internal import Glibc
internal import SystemIO

/// Finds the executables that were built together with the running tests.
public enum BuiltProducts {
  /// The path of a product such as `ingot` or `ingot-monitor`; it lies beside the test bundle.
  ///
  /// - Throws: `MissingProduct` where it isn't there.
  public static func path(of name: String) throws(MissingProduct) -> String {
    var directories: [String] = []
    for argument in CommandLine.arguments where argument.contains(".xctest") {
      directories.append(directoryName(argument))
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    if count > 0 {
      directories.append(directoryName(String(decoding: buffer[..<count], as: UTF8.self)))
    }
    for directory in directories where fileExists("\(directory)/\(name)") {
      return "\(directory)/\(name)"
    }
    throw MissingProduct(name: name, directories: directories)
  }

  /// A product that was not built.
  public struct MissingProduct: Error, Sendable, CustomStringConvertible {
    /// Its name.
    public var name: String
    /// Where it was looked for.
    public var directories: [String]

    /// What is missing, where, and how to get it.
    public var description: String {
      "\(name) is not in \(directories.joined(separator: ", ")); run `swift build` first"
    }
  }
}
