import JSON
import SystemIO
import TestSupport
import Testing

/// Trees go to images and are compared with what a guest's kernel sees there.
@Suite("Nothing is lost") struct FidelityTests {
  @Test("every tree, from a directory and from a tar, is the same to a guest's kernel")
  func trees() async throws {
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    do {
      let cases = try await makeCases(ingot, scratch)
      let verdicts = try await Judge(ingot: ingot).compare(cases)
      for item in cases {
        let verdict = try #require(verdicts[item.name])
        #expect(verdict.lines > 5000)
        #expect(verdict.differences.isEmpty, "\(item.name):\n\(verdict.differences)")
        if item.growth > 1 { expectGrown(verdict.growth, by: item.growth) }
      }
    } catch {
      let log = try await ingot.run(["console", "judge", "--log"])
      print("console of the judge:\n\(log.output.suffix(4000))")
      _ = try await ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
    try await ingot.succeed("destroy", "--all", "--yes")
  }

  /// Makes the trees and their images, the distributions' beside the rest.
  private func makeCases(_ ingot: Ingot, _ scratch: Scratch) async throws -> [Judge.Case] {
    async let debian11 = DistributionTrees.shared.essential("bullseye")
    async let debian12 = DistributionTrees.shared.debian12()
    async let debian13 = DistributionTrees.shared.essential("trixie")
    try await NastyTree.make("nasty", in: scratch)
    let nasty = DistributionTrees.Paths(
      tree: scratch.file("nasty"), archive: scratch.file("nasty.tar"))
    // tar complains of sockets, which it can't keep.
    try await shell(
      """
      tar -C nasty --sort=name --xattrs --xattrs-include='*' --acls --sparse --format=pax \
        -cf nasty.tar . 2> tar.errors
      ! grep -v 'socket ignored$' tar.errors
      """, in: scratch.path)
    var cases: [Judge.Case] = []
    for (name, paths) in [
      ("nasty", nasty), ("bullseye", try await debian11), ("bookworm", try await debian12),
      ("trixie", try await debian13),
    ] {
      for (form, source) in [("tree", paths.tree), ("tar", paths.archive)] {
        var item = Judge.Case(
          name: "\(name)-\(form)", image: "\(name)-\(form).qcow2", tree: paths.tree)
        try await ingot.succeed("convert", source, "-o", item.image, "--report", "report.json")
        try expectNothingDropped(scratch.file("report.json"), source)
        try await expectClean(item.image, scratch, dumping: name == "nasty" ? "names sizes" : "")
        // mmdebstrap's tar has these ACLs as plain attributes, and GNU tar does not restore such.
        if form == "tar" { item.ignoring = "var/log/journal system\\.posix_acl" }
        if name == "nasty" {
          if form == "tar" { item.ignoring = TreeListing.lostByTar } else { item.growth = 10 }
        }
        cases.append(item)
      }
    }
    return cases
  }

  private func expectNothingDropped(_ path: String, _ source: String) throws {
    let bytes = try readFile(path, limit: 1 << 24)
    let report = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    #expect(report["dropped"]?.array?.isEmpty == true, "\(source): \(report["dropped"]?.text())")
    #expect(report["changed"]?.array?.isEmpty == true, "\(source): \(report["changed"]?.text())")
  }

  /// qemu-img and e2fsck find nothing; e2fsck's optimisation of directories gains no block; what
  /// debugfs dumps of some folders is what the nasty tree has there.
  private func expectClean(_ image: String, _ scratch: Scratch, dumping folders: String)
    async throws
  {
    let said = try await shell(
      """
      set -eu
      qemu-img check -q \(image)
      qemu-img convert -f qcow2 -O raw \(image) copy.raw
      disk=$(root copy.raw)
      e2fsck -fn "$disk" 2> /dev/null
      unused() { dumpe2fs -h "$disk" 2> /dev/null | grep '^Free blocks:' | tr -dc 0-9; }
      for folder in \(folders); do
        mkdir -p dump
        debugfs -R "rdump /$folder dump" "$disk" 2> /dev/null
        diff -r --no-dereference nasty/$folder dump/$folder >&2
        rm -r dump
      done
      before=$(unused)
      # It ends with 1 for having written.
      e2fsck -fyD "$disk" > optimised 2>&1 || [ $? = 1 ]
      [ $(unused) -le $before ] || echo "from $before to $(unused) free blocks"
      rm copy.raw
      """, in: scratch.path)
    #expect(!said.contains("free blocks"), "\(image): e2fsck -D made directories smaller: \(said)")
    #expect(!said.contains("Fix? no"), "\(image) is not clean: \(said)")
  }

  private func expectGrown(_ said: String, by growth: Int) {
    let words = said.split(separator: "\n").last?.split(separator: " ") ?? []
    let numbers = words.compactMap { Int($0) }
    #expect(numbers.count == 2, "\(said)")
    if numbers.count == 2 { #expect(numbers[1] >= numbers[0] * (growth - 1), "\(said)") }
  }
}
