public import JSON

/// An `Image`'s specification.
public struct ImageSpecification: Sendable, Hashable {
  /// What it is made from.
  public enum Source: Sendable, Hashable {
    /// A distribution fetched from its mirrors by mmdebstrap.
    case bootstrap(Bootstrap)
    /// A directory that holds a machine's root.
    case tree(path: String)
    /// A tar of a machine's root, compressed in any way.
    case archive(path: String)
    /// A disk image.
    case file(path: String, format: String)
    /// Another image by name.
    case image(name: String)
  }

  /// A distribution to be fetched.
  public struct Bootstrap: Sendable, Hashable {
    /// `debian` or `ubuntu`.
    public var distribution: String
    /// The release: `bookworm`.
    public var suite: String
    /// The packages that are installed beside the essential ones.
    public var packages: [String]
    /// Where it is fetched from; empty means the distribution's own mirrors.
    public var mirrors: [String]
    /// mmdebstrap's variant: `minbase`, `apt`, `essential`.
    public var variant: String
    /// The components, such as `main`.
    public var components: [String]
  }

  /// Whether identity is kept.
  public enum Mode: String, Sendable {
    /// Each clone gets an identity of its own.
    case template
    /// The machine stays who it is.
    case migrate
  }

  /// What it is made from.
  public var source: Source
  /// Whether identity is kept.
  public var mode: Mode
  /// Ways it must be able to boot: `direct`, `bios`, `uefi`.
  public var boot: [String]
  /// The disk's size in bytes; nil means what is needed and some room.
  public var size: Int64?
  /// `qcow2` or `raw`.
  public var format: String
  /// Patterns of paths left out.
  public var exclude: [String]

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    let source = try reader.group("source")
    if let bootstrap = try source.optionalGroup("bootstrap") {
      self.source = .bootstrap(
        Bootstrap(
          distribution: try bootstrap.text("distribution"), suite: try bootstrap.text("suite"),
          packages: try bootstrap.texts("packages"), mirrors: try bootstrap.texts("mirrors"),
          variant: try bootstrap.text("variant"), components: try bootstrap.texts("components")))
    } else if let tree = try source.optionalGroup("tree") {
      self.source = .tree(path: try tree.text("path"))
    } else if let archive = try source.optionalGroup("archive") {
      self.source = .archive(path: try archive.text("path"))
    } else if let file = try source.optionalGroup("file") {
      self.source = .file(path: try file.text("path"), format: try file.text("format"))
    } else {
      self.source = .image(name: try source.text("image"))
    }
    mode = try reader.choice("mode")
    boot = try reader.texts("boot")
    size = try reader.optionalInteger("size")
    format = try reader.text("format")
    exclude = try reader.texts("exclude")
  }
}
