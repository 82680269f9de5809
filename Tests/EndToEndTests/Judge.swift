import JSON
import SystemIO
import TestSupport
import Testing

/// A guest whose kernel mounts images and tells how what it sees differs from the trees they
/// were made from.
struct Judge {
  /// An image and what it must hold.
  struct Case: Sendable {
    /// A word that names it.
    let name: String
    /// The image, a qcow2 file.
    let image: String
    /// The tree it was made from.
    let tree: String
    /// An extended regular expression of lines that don't count.
    var ignoring = "^$"
    /// The disk's size as a multiple of the image's; above one the guest grows the file system.
    var growth = 1
  }

  /// What came of a case.
  struct Verdict {
    /// Lines of the tree's listing that were compared.
    var lines = 0
    /// The first differences, as diff(1) shows them; empty where there are none.
    var differences = ""
    /// What the guest said of the growth.
    var growth = ""
  }

  let ingot: Ingot

  /// Boots the guest with all images attached, and compares them.
  func compare(_ cases: [Case]) async throws -> [String: Verdict] {
    let directory = ingot.directory
    try await prepareEvidence(cases)
    var sizes: [String: Int64] = [:]
    for item in cases {
      let info = try JSONValue(
        parsing: try await shell(
          "qemu-img info -f qcow2 --output=json \(item.image)", in: directory))
      sizes[item.name] = try #require(info["virtual-size"]?.integer) * Int64(item.growth)
    }
    let site = try await Self.site(cases, sizes)
    try replaceFile(directory + "/judge.yaml", with: Array(site.utf8))
    try await ingot.succeed("apply", "-f", "judge.yaml", "--yes", "--timeout", "9m")
    try await inGuest("mkdir /var/judge && tar -C /var/judge -xf /dev/vdb")
    try await inGuest(
      "cd /var/judge && cut -d ' ' -f 1 cases | xargs -P 2 -n 1 sh compare.sh")
    var verdicts: [String: Verdict] = [:]
    for item in cases {
      var verdict = Verdict()
      let count = try await inGuest("wc -l < /var/judge/\(item.name).tree")
      verdict.lines = Int(count.filter { $0 != "\n" }) ?? 0
      verdict.differences = try await inGuest(
        "head -c 4000 /var/judge/\(item.name).diff | cat -v")
      if item.growth > 1 {
        verdict.growth = try await inGuest("cat /var/judge/\(item.name).growth")
      }
      verdicts[item.name] = verdict
    }
    return verdicts
  }

  @discardableResult
  private func inGuest(_ script: String) async throws -> String {
    try await ingot.succeed("exec", "judge", "--timeout", "30m", "--", "sh", "-c", script)
  }

  /// Writes a disk that holds the scripts and the listings of the trees, as a tar.
  private func prepareEvidence(_ cases: [Case]) async throws {
    let directory = ingot.directory + "/evidence"
    try makeDirectories(directory)
    for (name, script) in [
      ("list-tree.sh", TreeListing.script), ("list.sh", Self.listing),
      ("compare.sh", Self.comparison), ("grow.sh", Self.growth),
    ] { try replaceFile(directory + "/" + name, with: Array(script.utf8)) }
    let lines = cases.enumerated().map { index, item in
      // The root is vda, the evidence vdb.
      "\(item.name) vd\(UnicodeScalar(UInt8(0x63 + index))) \(item.growth)\n"
    }
    try replaceFile(directory + "/cases", with: Array(lines.joined().utf8))
    for item in cases {
      try replaceFile(directory + "/\(item.name).ignored", with: Array(item.ignoring.utf8))
      try await shell("sh list.sh \(item.tree) \(item.name) > \(item.name).tree", in: directory)
    }
    try await shell(
      "tar -C evidence -cf evidence.raw . && truncate -s %1M evidence.raw", in: ingot.directory)
  }

  /// Lists a tree, its first word, without the lines that don't count in a case, its second.
  private static let listing = #"""
    here=$PWD
    (cd $1 && sh $here/list-tree.sh) | grep -a -v -E -f $2.ignored
    """#

  /// Compares one case; the words of its line are its name, its disk and its growth.
  private static let comparison = #"""
    set -eu
    case=$1
    set -- $(grep "^$case " cases)
    partition=$(ls /dev/$2? | tail -n 1)
    mkdir mount-$case
    mount -o ro,noload $partition mount-$case
    sh list.sh mount-$case $case > $case.seen
    diff -a $case.tree $case.seen > $case.diff || true
    umount mount-$case
    [ $3 = 1 ] || sh grow.sh $case $2 $partition > $case.growth 2>&1 || true
    """#

  /// Grows a disk's last partition and the file system on it while it is mounted, uses the room,
  /// compares again and checks.
  private static let growth = #"""
    set -eu
    case=$1 disk=$2 partition=$3
    sfdisk -q --force --relocate gpt-bak-std /dev/$disk
    echo ', +' | sfdisk -q --no-reread --force -N ${partition##*[!0-9]} /dev/$disk
    partx --update /dev/$disk
    mount $partition mount-$case
    before=$(stat -f -c %b mount-$case)
    resize2fs $partition
    mkdir mount-$case/grown
    seq -f mount-$case/grown/%06.0f 3000 | xargs touch
    dd if=/dev/zero of=mount-$case/grown/data bs=1M count=200 status=none
    after=$(stat -f -c %b mount-$case)
    rm -r mount-$case/grown
    sh list.sh mount-$case $case > $case.seen
    umount mount-$case
    diff -a $case.tree $case.seen >> $case.diff || true
    e2fsck -fn $partition
    echo "clean, from $before to $after blocks"
    """#

  private static func site(_ cases: [Case], _ sizes: [String: Int64]) async throws -> String {
    var text = """
      apiVersion: ingot/v1
      kind: Image
      metadata: {name: debian}
      spec:
        source: {tree: {path: \(try await DistributionTrees.shared.debian12().tree)}}
      ---
      apiVersion: ingot/v1
      kind: VirtualMachine
      metadata: {name: judge}
      spec:
        cpu: {count: 2}
        memory: {guest: 1Gi}
        readinessProbe: {guestAgent: {}, timeout: 9m}
        disks:
          - {name: root, image: debian, size: 6Gi}
          - {name: evidence, image: evidence}

      """
    for item in cases {
      text += "    - {name: \(item.name), image: \(item.name), size: \(sizes[item.name] ?? 0)}\n"
    }
    let files = [("evidence", "evidence.raw", "raw")] + cases.map { ($0.name, $0.image, "qcow2") }
    for (name, path, format) in files {
      text += """
        ---
        apiVersion: ingot/v1
        kind: Image
        metadata: {name: \(name)}
        spec:
          source: {file: {path: \(path), format: \(format)}}
          boot: [bios]

        """
    }
    return text
  }
}
