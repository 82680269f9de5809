public import Diagnostics
public import SystemIO

/// Finds and reads the manifests that `-f` names.
public enum ManifestFiles {
  /// The largest manifest that is read, in bytes.
  public static let sizeLimit = 64 << 20

  /// Reads files, the `*.yaml` and `*.yml` of directories (sorted by name) and, for `-`, standard
  /// input.
  ///
  /// - Parameters:
  ///   - paths: as the user named them; one named twice is read once.
  ///   - workingDirectory: the absolute directory that relative paths start at.
  ///   - isRecursive: whether directories below the named ones are read too.
  ///   - standardInput: gives the bytes of standard input; asked at most once.
  /// - Returns: what could be read, and a diagnostic for each path that could not.
  public static func read(
    _ paths: [String], workingDirectory: String, isRecursive: Bool = false,
    standardInput: () throws(SystemError) -> [UInt8]
  ) -> (sources: [ManifestSource], diagnostics: [Diagnostic]) {
    var reader = Reader(workingDirectory: workingDirectory, isRecursive: isRecursive)
    for path in paths {
      if path == "-" {
        reader.add("<stdin>", directory: workingDirectory, identity: "-") {
          () throws(SystemError) in try standardInput()
        }
      } else {
        reader.add(path)
      }
    }
    return (reader.sources, reader.diagnostics)
  }

  private struct Reader {
    let workingDirectory: String
    let isRecursive: Bool
    var sources: [ManifestSource] = []
    var diagnostics: [Diagnostic] = []
    private var seen: Set<String> = []

    init(workingDirectory: String, isRecursive: Bool) {
      self.workingDirectory = workingDirectory
      self.isRecursive = isRecursive
    }

    mutating func add(_ path: String) {
      let directory: [String]
      do throws(SystemError) {
        directory = try namesInDirectory(path)
      } catch {
        // No directory, or none that may be read; opening it as a file tells which.
        return addFile(path)
      }
      let before = sources.count + diagnostics.count
      addDirectory(path, directory)
      if sources.count + diagnostics.count == before {
        diagnostics.append(
          Diagnostic(
            "no-manifests", "\(path) holds no *.yaml or *.yml file",
            help: isRecursive ? nil : "name the directory that holds them, or pass --recursive"))
      }
    }

    private mutating func addDirectory(_ path: String, _ names: [String]) {
      let base = path.hasSuffix("/") ? path : path + "/"
      for name in names where !name.hasPrefix(".") {
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
          addFile(base + name)
        } else if isRecursive {
          // What is no directory is no manifest either, by its name.
          if let inner = try? namesInDirectory(base + name) { addDirectory(base + name, inner) }
        }
      }
    }

    private mutating func addFile(_ path: String) {
      let absolute = absolutePath(path, in: workingDirectory)
      add(path, directory: directoryName(absolute), identity: absolute) {
        () throws(SystemError) in try readFile(path, limit: ManifestFiles.sizeLimit)
      }
    }

    mutating func add(
      _ file: String, directory: String, identity: String,
      _ bytes: () throws(SystemError) -> [UInt8]
    ) {
      guard seen.insert(identity).inserted else { return }
      do throws(SystemError) {
        sources.append(ManifestSource(file: file, directory: directory, bytes: try bytes()))
      } catch {
        diagnostics.append(
          Diagnostic(
            "unreadable-file", error.description,
            help: error.isNotFound ? "check the path given with -f" : nil))
      }
    }
  }
}
