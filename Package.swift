// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target of this package; `dependencies` are targets that stand below it.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: ["TestSupport"] + dependencies, swiftSettings: settings)
}

/// What several programs of the fault injection share.
func faultInjection(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Tests/FaultInjection/\(path ?? name)",
    swiftSettings: settings)
}

func faultProgram(_ name: String, _ dependencies: [Target.Dependency], path: String) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Tests/FaultInjection/\(path)",
    swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "ingot",
  products: [
    .executable(name: "ingot", targets: ["ingot"]),
    .executable(name: "ingot-monitor", targets: ["ingot-monitor"]),
    .executable(name: "ingot-network", targets: ["ingot-network"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    // System libraries, each with one importer.
    .systemLibrary(name: "CLibyaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
      name: "CLibarchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CLibxml2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .target(name: "CLinux"),

    // Leaves.
    library("Diagnostics"),
    library("JSON"),
    library("SystemIO", ["CLinux"]),
    library("Resources", ["JSON", "Diagnostics"]),

    // The formats and the machines; none knows another but as listed.
    library("YAML", ["CLibyaml", "Diagnostics"]),
    library("XML", ["CLibxml2"]),
    library("FileTree"),
    library("Archive", ["CLibarchive", "SystemIO"]),
    library("Ext4", ["FileTree"]),
    library("Ext4Reader", ["FileTree", "Ext4"]),
    library("DiskImage", ["CZlib", "CZstd", "SystemIO"]),
    library("QEMU", ["JSON", "SystemIO"]),
    library("Supervision", ["JSON", "SystemIO"]),
    library("Networking", ["JSON", "Supervision", "SystemIO"]),
    // Apart from the rest of Networking, so that no guest's monitor carries it.
    library("NetworkService", ["JSON", "Networking", "Supervision", "SystemIO"]),
    library("Monitor", ["JSON", "QEMU", "Supervision", "Networking", "SystemIO"]),

    // The engine's interface, the planner, the language.
    library("EngineInterface", ["JSON", "Resources", "Diagnostics"]),
    library("Planning", ["JSON", "Resources", "Diagnostics", "EngineInterface"]),
    library("Manifests", ["JSON", "Resources", "Diagnostics", "YAML", "SystemIO"]),

    // What does the work.
    library(
      "EmbeddedEngine",
      [
        "JSON", "Resources", "Diagnostics", "EngineInterface", "SystemIO", "QEMU", "Supervision",
        "Monitor", "Networking", "Archive", "DiskImage", grdb, crypto,
      ]),
    library(
      "Conversion",
      [
        "JSON", "Resources", "Diagnostics", "EngineInterface", "SystemIO", "FileTree", "Ext4",
        "Ext4Reader", "DiskImage", "Archive", crypto,
      ]),
    library(
      "Execution", ["JSON", "Resources", "Diagnostics", "EngineInterface", "Planning", "SystemIO"]),
    library(
      "Commands",
      [
        "JSON", "Resources", "Diagnostics", "Manifests", "EngineInterface", "Planning",
        "Execution", "EmbeddedEngine", "Conversion", "DiskImage", "SystemIO", "Monitor",
        "Networking", "NetworkService", "QEMU", "Supervision", "YAML", "XML", "Archive", "Ext4",
        argumentParser, crypto,
      ]),
    .executableTarget(name: "ingot", dependencies: ["Commands"], swiftSettings: settings),
    .executableTarget(
      name: "ingot-monitor", dependencies: ["Monitor", "SystemIO"], swiftSettings: settings),
    .executableTarget(
      name: "ingot-network", dependencies: ["NetworkService", "SystemIO"],
      swiftSettings: settings),

    // Tests.
    library("TestSupport", ["JSON", "Resources", "EngineInterface", "SystemIO", "FileTree"]),
    tests("JSON", ["JSON"]),
    tests("SystemIO", ["SystemIO"]),
    tests("Resources", ["JSON", "Resources", "Diagnostics"]),
    // libyaml's bare event loop is the oracle of these tests.
    tests("YAML", ["YAML", "Diagnostics", "CLibyaml"]),
    tests("XML", ["XML"]),
    tests("Archive", ["Archive", "SystemIO"]),
    tests("Ext4", ["Ext4", "FileTree"]),
    tests("Ext4Reader", ["Ext4Reader", "Ext4", "FileTree", "SystemIO"]),
    tests("DiskImage", ["DiskImage", "SystemIO"]),
    tests("QEMU", ["QEMU", "JSON", "SystemIO"]),
    tests("Supervision", ["Supervision", "JSON", "SystemIO"]),
    tests("Monitor", ["Monitor", "QEMU", "Supervision", "Networking", "JSON", "SystemIO"]),
    tests("Networking", ["Networking", "NetworkService", "Supervision", "JSON", "SystemIO"]),
    tests("Planning", ["Planning", "JSON", "Resources", "Diagnostics", "EngineInterface"]),
    tests("Manifests", ["Manifests", "JSON", "Resources", "Diagnostics", "YAML"]),
    tests(
      "EmbeddedEngine",
      [
        "EmbeddedEngine", "JSON", "Resources", "Diagnostics", "EngineInterface", "Monitor",
        "Networking", "Planning", "QEMU", "SystemIO",
      ]),
    tests(
      "Conversion",
      [
        "Conversion", "JSON", "Resources", "EngineInterface", "FileTree", "SystemIO", "DiskImage",
        "Ext4",
      ]),
    tests(
      "Execution",
      ["Execution", "Planning", "JSON", "Resources", "Diagnostics", "EngineInterface"]),
    tests(
      "Commands",
      [
        "Commands", "DiskImage", "EmbeddedEngine", "JSON", "Resources", "Diagnostics",
        "EngineInterface", "Execution", "Networking", "NetworkService", "Planning", "QEMU",
        "SystemIO", "XML",
      ]),
    tests(
      "EndToEnd",
      ["JSON", "Monitor", "Networking", "QEMU", "Resources", "SystemIO", subprocess, systemPackage]),

    // Processes that die where a test says, and what stands in for QEMU. Never installed.
    faultInjection("FaultPoints", ["SystemIO"]),
    faultInjection(
      "FaultScenarios",
      [
        "JSON", "Resources", "EngineInterface", "Planning", "Execution", "EmbeddedEngine",
        "Conversion", "SystemIO", "TestSupport",
      ], path: "Scenarios"),
    faultProgram("fault-qemu", ["FaultPoints", "JSON", "SystemIO"], path: "FakeQEMU"),
    faultProgram("fault-monitor", ["FaultPoints", "Monitor", "SystemIO"], path: "Monitor"),
    faultProgram("fault-network", ["FaultPoints", "NetworkService", "SystemIO"], path: "Network"),
    faultProgram(
      "fault-command", ["FaultPoints", "FaultScenarios", "EmbeddedEngine", "SystemIO"],
      path: "Command"),
    tests(
      "FaultInjection",
      [
        "FaultPoints", "FaultScenarios", "EmbeddedEngine", "EngineInterface", "Planning",
        "Resources", "JSON", "SystemIO",
      ]),
  ]
)

// The fuzzer needs flags that no other build has, so it is there on demand: Fuzz/run.sh.
if Context.environment["INGOT_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "ingot-fuzz",
      dependencies: [
        "Archive", "Conversion", "DiskImage", "Ext4", "Ext4Reader", "FileTree", "Manifests",
        "SystemIO",
      ], path: "Fuzz/Sources"))
}
