import Glibc
import SystemIO
import TestSupport
import Testing

/// File systems that are full, or can't be written to; mounted where no other process sees them.
@Suite("A host in trouble") struct HostTroubleTests {
  private static let volumes = (1...40).map { number in
    """
    apiVersion: ingot/v1
    kind: Volume
    metadata: {name: data-\(number)}
    spec: {size: 1Gi, pool: small}

    """
  }.joined(separator: "---\n")

  @Test(
    "A full disk is told as such, loses nothing, and apply goes on once there is space",
    arguments: ["home", "pool"])
  func fullDisk(_ place: String) async throws {
    let scratch = try Scratch()
    for directory in ["home", "pool"] { try makeDirectories(scratch.file(directory)) }
    let spec = place == "home" ? "{}" : "{path: \(scratch.file("pool"))}"
    try scratch.write(
      "site.yaml",
      """
      apiVersion: ingot/v1
      kind: StoragePool
      metadata: {name: small}
      spec: \(spec)
      ---
      \(Self.volumes)
      """)
    try await inNamespace(
      scratch,
      """
      mount -t tmpfs -o size=2m,mode=700 tmpfs \(place)
      code=0; $INGOT apply -f site.yaml --yes 2> errors || code=$?
      [ $code = 5 ] || [ $code = 1 ] || { echo "ended with $code"; cat errors; exit 1; }
      grep -qi 'space' errors || { echo "not told of:"; cat errors; exit 1; }
      $INGOT get volumes > /dev/null
      mount -o remount,size=64m \(place)
      $INGOT apply -f site.yaml --yes
      $INGOT plan -f site.yaml --detailed-exitcode
      [ "$($INGOT get volumes -o name | wc -l)" = 40 ]
      $INGOT destroy --all --yes
      left=$(find home pool -name '*.qcow2*' -o -name '*.partial')
      [ -z "$left" ] || { echo "left: $left"; exit 1; }
      """)
  }

  @Test("A read-only state directory is told as such, and nothing of it is lost")
  func readOnly() async throws {
    let scratch = try Scratch()
    try makeDirectories(scratch.file("home"))
    try scratch.write(
      "site.yaml",
      "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: data}\nspec: {size: 1Mi}\n")
    try await inNamespace(
      scratch,
      """
      mount -t tmpfs -o size=16m,mode=700 tmpfs home
      $INGOT apply -f site.yaml --yes
      mount -o remount,ro home
      for verb in "get volumes" "plan -f site.yaml" "apply -f site.yaml --yes" "events"; do
        code=0; $INGOT $verb > output 2> errors || code=$?
        [ $code = 0 ] || grep -q 'mount options' errors ||
          { echo "$verb ended with $code:"; cat errors; exit 1; }
      done
      mount -o remount,rw home
      $INGOT plan -f site.yaml --detailed-exitcode
      $INGOT destroy --all --yes
      """)
  }

  /// Runs a script in which `mount` changes nothing outside.
  private func inNamespace(_ scratch: Scratch, _ script: String) async throws {
    try scratch.write("script", "set -euo pipefail\n" + script)
    let rights = geteuid() == 0 ? "--mount" : "--user --map-root-user --mount"
    try await shell(
      """
      export INGOT=\(try Ingot.executable()) INGOT_HOME=$PWD/home NO_COLOR=1
      unshare \(rights) bash script >&2
      """, in: scratch.path)
  }
}
