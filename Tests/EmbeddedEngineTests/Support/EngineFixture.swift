import EmbeddedEngine
import EngineInterface
import Foundation
import JSON
import Resources
import Synchronization
import SystemIO
import Testing

/// An engine in a directory of its own, which goes with the test.
final class EngineFixture: Sendable {
  let root: String
  let builder = FakeImageBuilder()
  let secrets = FakeSecrets()

  var home: String { root + "/home" }

  init() throws {
    // In memory where there is such a place: these tests synchronise thousands of times.
    let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    root = "\(place)/ingot-engine-" + UUID().uuidString.prefix(8)
    try makeDirectories(root, permissions: 0o700)
  }

  /// Ends what runs and removes all files; to be deferred, so that the fixture lives as long.
  func cleanUp() {
    // A test that fails may leave a guest behind; it must not outlive the test.
    if let engine = try? open() { try? engine.killEverything() }
    try? removeTree(root)
  }

  /// Kills the networks' supervisors and waits for their ends; what they look after lives on.
  func killSupervisors() throws {
    for name in try namesInDirectory(home + "/networks") {
      let directory = "\(home)/networks/\(name)"
      for process in try namesInDirectory("/proc").compactMap({ pid_t($0) }) {
        // One that ends while it is looked at is none.
        let line = (try? readFile("/proc/\(process)/cmdline")) ?? []
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        if words.count > 2, words[1] == "serve", words[2] == directory { kill(process, SIGKILL) }
      }
      for _ in 0..<500 where try FileLock.isHeld(directory + "/lock") { usleep(2000) }
    }
  }

  func open(
    actor: EngineActor? = nil, hostNetworks: [UsedNetwork] = [],
    checkpoint: @escaping @Sendable (String) throws -> Void = { _ in }
  ) throws -> EmbeddedEngine {
    let isNew = !fileExists(home)
    let engine = try EmbeddedEngine.open(
      home: home, host: .live(), imageBuilder: builder, secrets: secrets,
      programs: Self.programs, actor: actor, hostNetworks: { hostNetworks }, checkpoint: checkpoint)
    if isNew, let fact = Self.accelerator { try engine.setAcceleratorFact(fact) }
    return engine
  }

  /// Found out once: the probe keeps a processor busy for a while.
  private static let accelerator: String? = {
    let home = "/tmp/ingot-engine-" + UUID().uuidString.prefix(8)
    // Without it each engine finds out by itself, and says what is wrong.
    defer { try? removeTree(home) }
    let engine = try? EmbeddedEngine.open(
      home: home, host: .live(), imageBuilder: FakeImageBuilder(), programs: programs)
    return try? engine?.acceleratorFact()
  }()

  /// The project's own programs lie beside the test bundle; QEMU comes from the system.
  static let programs = ProgramPaths(
    monitor: beside("ingot-monitor"), network: beside("ingot-network"),
    qemu: "/usr/bin/qemu-system-x86_64", qemuImage: "/usr/bin/qemu-img")

  private static func beside(_ name: String) -> String {
    Bundle(for: Marker.self).bundleURL.appendingPathComponent(name).path
  }

  private final class Marker {}
}

/// Builds a small image whose boot sector writes a line to the serial port and halts.
final class FakeImageBuilder: ImageBuilder {
  func inputs(of image: Resource) async throws -> String { "inputs of \(image.spec.text())" }

  func build(
    _ image: Resource, into directory: String, baseImage: String?,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage {
    progress(ActProgress(phase: "packing", completed: 1, total: 2))
    let file = try PendingFile(replacing: directory + "/disk.raw")
    // Images of different sources differ in a byte that does not run.
    var sector = BootSector.writing("hello from the guest\r\n")
    sector[500] = UInt8(truncatingIfNeeded: image.spec.text().utf8.reduce(0) { $0 &+ Int($1) })
    try file.descriptor.write(sector)
    try file.descriptor.truncate(to: 1 << 20)
    try file.commit()
    return BuiltImage(
      disk: "disk.raw", format: "raw", virtualSize: 1 << 20, firmware: ["bios"],
      report: ["dropped": []])
  }
}

/// A boot sector in 16-bit code.
enum BootSector {
  /// Writes a text to the first serial port, then halts for ever.
  static func writing(_ text: String) -> [UInt8] {
    // cli; xor ax,ax; mov ds,ax; mov si,7c00h+32; mov dx,3f8h
    var code: [UInt8] = [0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x20, 0x7c, 0xba, 0xf8, 0x03]
    // lodsb; test al,al; jz +3; out dx,al; jmp -8; hlt; jmp -3
    code += [0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, 0xf4, 0xeb, 0xfd]
    code += [UInt8](repeating: 0x90, count: 32 - code.count)
    code += Array(text.utf8) + [0]
    return code + [UInt8](repeating: 0, count: 510 - code.count) + [0x55, 0xaa]
  }
}

/// Gives secrets that a test sets.
final class FakeSecrets: SecretSource {
  let values = Mutex<[String: String]>([:])

  func value(of secret: MachineSpecification.Secret) throws(SecretError) -> String {
    guard let value = values.withLock({ $0[secret.name] }) else {
      throw SecretError("the fake has no '\(secret.name)'")
    }
    return value
  }
}
