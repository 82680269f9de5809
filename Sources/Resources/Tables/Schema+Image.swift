internal import JSON

extension Schema {
  static let image = Schema(
    .image, "A golden image: built once, sealed under its digest, cloned thinly.",
    [
      Field("source", .oneOf(imageSources), required: true, "What it is made from."),
      Field(
        "mode", .choice(["template", "migrate"]), default: "template", effect: .replace,
        "template gives each clone an identity of its own; migrate keeps the machine who it is."),
      Field(
        "boot", .list(.choice(["direct", "bios", "uefi"])), default: ["direct"], effect: .replace,
        "Ways it must be able to boot."),
      Field(
        "size", .bytes(diskSizes), effect: .replace,
        "The disk's size; left out, what the content needs and some room."),
      Field(
        "format", .choice(["qcow2", "raw"]), default: "qcow2", effect: .replace,
        "The disk's format."
      ),
      Field(
        "exclude", .list(.text(.plain)), default: [], effect: .replace,
        "Patterns of paths left out."),
      lifecycle,
    ])

  private static let imageSources = [
    Field("bootstrap", .object(bootstrapFields), "A distribution, fetched by mmdebstrap."),
    Field(
      "tree", .object([pathField("The directory.")]), "A directory that holds a machine's root."),
    Field(
      "archive", .object([pathField("The archive.")]),
      "A tar of a machine's root, compressed in any way."),
    Field(
      "file",
      .object([
        pathField("The disk image."),
        Field(
          "format", .choice(["qcow2", "raw", "vmdk", "vhd", "vhdx"]), required: true,
          effect: .replace,
          "The disk image's format; it is never guessed."),
      ]), "A disk image."),
    Field(
      "image", .reference(.image), effect: .replace,
      "Another image, as it is when this one is built."),
  ]

  private static let bootstrapFields = [
    Field(
      "distribution", .choice(["debian", "ubuntu"]), default: "debian", effect: .replace,
      "The distribution."),
    Field(
      "suite", .text(.word), required: true, effect: .replace, "The release, such as bookworm."),
    Field(
      "packages", .list(.text(.argument)), default: [], effect: .replace,
      "Packages beside the essential ones."),
    Field(
      "mirrors", .list(.text(.argument)), default: [], effect: .replace,
      "Where it is fetched from; empty, the distribution's own mirrors."),
    Field(
      "variant", .choice(["minbase", "apt", "essential"]), default: "minbase", effect: .replace,
      "mmdebstrap's variant."),
    Field(
      "components", .list(.text(.word)), default: ["main"], effect: .replace,
      "The archive's components."),
  ]

  private static func pathField(_ doc: String) -> Field {
    Field(
      "path", .text(.path), required: true, effect: .replace,
      doc + " A relative path starts at the manifest's directory.")
  }
}
