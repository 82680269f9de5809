internal import Conversion
internal import EmbeddedEngine
internal import EngineInterface
internal import Glibc
internal import SystemIO

/// Finds the programs that ingot starts.
enum Programs {
  /// QEMU's program for this host's guests.
  static let qemu = "qemu-system-x86_64"

  /// `ingot-network`, named by where it would be where it isn't found.
  static func network(_ environment: Environment) -> String {
    environment.companion("ingot-network") ?? "/usr/libexec/ingot/ingot-network"
  }

  /// This program's own file.
  ///
  /// - Throws: `SystemError` where /proc doesn't tell.
  static func own() throws(SystemError) -> String {
    guard let resolved = realpath("/proc/self/exe", nil) else {
      throw SystemError("find", "/proc/self/exe", errno: errno)
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Where the engine's programs are.
  ///
  /// What is not found is named by where it would be, so that the act that needs it says so and
  /// all others work.
  static func paths(_ environment: Environment) -> ProgramPaths {
    ProgramPaths(
      monitor: environment.companion("ingot-monitor") ?? "/usr/libexec/ingot/ingot-monitor",
      network: network(environment),
      qemu: environment.program(qemu) ?? "/usr/bin/\(qemu)",
      qemuImage: environment.program("qemu-img") ?? "/usr/bin/qemu-img",
      firmwareCode: firmware("CODE"), firmwareVariables: firmware("VARS"))
  }

  /// OVMF's parts, in the places where distributions put them.
  private static func firmware(_ part: String) -> String? {
    [
      "/usr/share/OVMF/OVMF_\(part)_4M.fd", "/usr/share/OVMF/OVMF_\(part).fd",
      "/usr/share/edk2/ovmf/OVMF_\(part).fd", "/usr/share/edk2/x64/OVMF_\(part).4m.fd",
    ].first { access($0, R_OK) == 0 }
  }
}

extension Programs {
  /// What builds images.
  static func imageBuilder(_ environment: Environment, host: HostContext) -> any ImageBuilder {
    ConversionImageBuilder(host: host, environment: environment.forTools)
  }
}
