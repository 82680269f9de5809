import JSON

// An image is made anew; the guest that runs on a clone of it keeps what it has.
extension BoxCases {
  static let images = [
    image("boot", "source.file.path", to: "other.raw", is: "other"),
    image(
      "boot", "source.file.format", to: "qcow2",
      and: [Edit("Image/boot", "source.file.path", to: "boot.qcow2")],
      paths: ["source.file.path", "source.file.format"], is: "other"),
    image("boot", "boot", to: ["bios", "uefi"], is: "same"),
    image("boot", "size", to: "4Mi", is: "other"),
    image("boot", "format", to: "raw", is: "other"),
    image("derived", "source.image", to: "second", is: "other"),
    image("small", "source.tree.path", to: "tree2", is: "other"),
    image("small", "exclude", to: ["/etc/hostname"], is: "other"),
    image("small", "mode", to: "migrate", is: "other"),
  ]

  private static let small = "Image/small"

  static let sources = [
    image(
      "small", "source.archive.path", at: "source", to: ["archive": ["path": "tree.tar"]],
      paths: ["source.tree", "source.archive"], is: "other"),
    image("small", "source.archive.path", to: "tree2.tar", is: "other"),
    bootstrap(
      "source.bootstrap.suite", at: "source", to: ["bootstrap": ["suite": "bookworm"]],
      paths: ["source.archive", "source.bootstrap"],
      runs: "--variant=minbase --components=main bookworm -"),
    bootstrap(
      "source.bootstrap.suite", to: "trixie", runs: "--variant=minbase --components=main trixie -"),
    bootstrap(
      "source.bootstrap.packages", to: ["curl", "jq"],
      runs: "--variant=minbase --include=curl,jq --components=main trixie -"),
    bootstrap(
      "source.bootstrap.mirrors", to: ["http://mirror.test/"],
      runs: "--variant=minbase --include=curl,jq --components=main trixie - http://mirror.test/"),
    bootstrap(
      "source.bootstrap.variant", to: "apt",
      runs: "--variant=apt --include=curl,jq --components=main trixie - http://mirror.test/"),
    bootstrap(
      "source.bootstrap.components", to: ["main", "contrib"],
      runs: "--variant=apt --include=curl,jq --components=main,contrib trixie - http://mirror.test/"
    ),
    bootstrap(
      "source.bootstrap.distribution", to: "ubuntu",
      runs: "--variant=apt --include=curl,jq --components=main,contrib trixie - http://mirror.test/"
    ),
  ]

  private static func image(
    _ name: String, _ field: String, at path: String? = nil, to value: JSONValue,
    and others: [Edit] = [], paths: [String]? = nil, is content: String
  ) -> FieldCase {
    FieldCase(
      "Image/\(name)", field, at: path, to: value, and: others, .none, paths: paths, shows: content
    ) { try await $0.content(of: name) }
  }

  private static func bootstrap(
    _ field: String, at path: String? = nil, to value: JSONValue, paths: [String]? = nil,
    runs arguments: String
  ) -> FieldCase {
    FieldCase(
      small, field, at: path, to: value, .none, paths: paths,
      shows: "--mode=auto --format=tar \(arguments)"
    ) { try $0.bootstrapped() }
  }
}
