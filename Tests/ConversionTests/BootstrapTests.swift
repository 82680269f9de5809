import JSON
import Resources
import SystemIO
import TestSupport
import Testing

@testable import Conversion

@Suite struct BootstrapTests {
  private func source(
    _ distribution: String = "debian", suite: String = "bookworm", mirrors: [String] = []
  ) throws -> ImageSpecification.Bootstrap {
    let specification = try ImageSpecification(
      [
        "source": [
          "bootstrap": [
            "distribution": .string(distribution), "suite": .string(suite),
            "packages": ["linux-image-cloud-amd64", "systemd-sysv"],
            "mirrors": .array(mirrors.map { .string($0) }), "variant": "minbase",
            "components": ["main"],
          ]
        ],
        "mode": "template", "boot": ["direct"], "format": "qcow2", "exclude": [],
      ])
    guard case .bootstrap(let bootstrap) = specification.source else {
      throw ConversionError("no bootstrap")
    }
    return bootstrap
  }

  @Test("mmdebstrap is asked for a tar on its standard output")
  func arguments() throws {
    #expect(
      try Bootstrap.arguments(source(mirrors: ["http://mirror.test/debian"])) == [
        "--mode=auto", "--format=tar", "--variant=minbase",
        "--include=linux-image-cloud-amd64,systemd-sysv", "--components=main", "bookworm", "-",
        "http://mirror.test/debian",
      ])
    #expect(throws: ConversionError.self) { try Bootstrap.arguments(source("ubuntu")) }
    #expect(throws: ConversionError.self) { try Bootstrap.arguments(source(suite: "--help")) }
  }

  @Test("what mmdebstrap says when it fails is the error, and nothing is left")
  func failure() async throws {
    let scratch = try Scratch()
    try makeDirectories(scratch.file("bin"))
    let tool = scratch.file("bin/mmdebstrap")
    try scratch.write("bin/mmdebstrap", "#!/bin/sh\necho 'E: no such suite' >&2\nexit 25\n")
    try Tool.check("chmod", ["755", tool])
    var options = smallOptions()
    options.environment = ["PATH=\(scratch.file("bin")):/usr/bin:/bin"]
    let used = options
    let bootstrap = try source()
    let error = await #expect(throws: ConversionError.self) {
      try await convert(.bootstrap(bootstrap), used, to: scratch.file("disk"))
    }
    #expect(error.map { "\($0)".contains("E: no such suite") } == true)
    #expect(try namesInDirectory(scratch.path) == ["bin"])
  }

  @Test("the tar that mmdebstrap writes becomes the disk; a failure after a whole tar still counts")
  func success() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    try makeDirectories(scratch.file("bin"))
    for (status, name) in [(0, "good"), (1, "bad")] {
      try scratch.write(
        "bin/mmdebstrap", "#!/bin/sh\ntar --sort=name -C \(root) -c .\nexit \(status)\n")
      try Tool.check("chmod", ["755", scratch.file("bin/mmdebstrap")])
      var options = smallOptions()
      options.environment = ["PATH=\(scratch.file("bin")):/usr/bin:/bin"]
      let used = options
      let bootstrap = try source()
      do {
        let made = try await convert(.bootstrap(bootstrap), used, to: scratch.file(name))
        #expect(status == 0 && made.report.kernel != nil)
      } catch {
        #expect(status == 1)
      }
      #expect(fileExists(scratch.file(name)) == (status == 0))
    }
  }

  @Test("a bootstrap that is cancelled, or whose tar is hostile, ends mmdebstrap at once")
  func ended() async throws {
    let scratch = try Scratch()
    try makeDirectories(scratch.file("bin"))
    let hostile = try scratch.write("hostile.tar", RawEntry(name: "../x", data: "x").bytes)
    for prelude in ["", "cat \(hostile)"] {
      let started = scratch.file("started")
      try scratch.write(
        "bin/mmdebstrap", "#!/bin/sh\n\(prelude)\necho $$ > \(started)\nsleep 600\n")
      try Tool.check("chmod", ["755", scratch.file("bin/mmdebstrap")])
      var options = smallOptions()
      options.environment = ["PATH=\(scratch.file("bin")):/usr/bin:/bin"]
      let used = options
      let bootstrap = try source()
      let task = Task { try await convert(.bootstrap(bootstrap), used, to: scratch.file("disk")) }
      // Until the script has written it, reading it fails or gives nothing.
      while ((try? readFile(started)) ?? []).isEmpty {
        try await Task.sleep(for: .milliseconds(10))
      }
      if prelude.isEmpty { task.cancel() }
      await #expect(throws: (any Error).self) { _ = try await task.value }
      let pid = String(decoding: try readFile(started), as: UTF8.self).filter { $0 != "\n" }
      #expect(!fileExists("/proc/\(pid)"))
      #expect(!fileExists(scratch.file("disk")))
      try removeFile(started)
    }
  }
}
