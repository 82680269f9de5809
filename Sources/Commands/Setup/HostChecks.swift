internal import EmbeddedEngine
internal import EngineInterface
internal import Glibc
internal import QEMU
internal import SystemIO

/// Looks at everything that ingot needs of the host; blocks its thread for some seconds.
struct HostChecks: Sendable {
  /// What the environment says.
  var environment: Environment
  /// Clock and facts of the host.
  var host: HostContext
  /// The directory of the engine's state.
  var home: String

  /// All checks, what matters most first.
  ///
  /// - Parameter subnets: the IPv4 networks that the engine holds, by the network's name.
  func run(subnets: [(name: String, subnet: String)]) -> [Check] {
    let programs = Programs.paths(environment)
    return qemuAndAccelerator() + [
      program(
        "qemu-img", "qemu-img", package: "qemu-utils", missing: .fail,
        consequence: "disks can't be made"),
      monitor(programs), homeDirectory(), space(), database(programs),
      program(
        "mmdebstrap", "mmdebstrap", package: "mmdebstrap", missing: .warn,
        consequence: "images can't be bootstrapped"),
      program(
        "ssh", "ssh", package: "openssh-client", missing: .warn,
        consequence: "`ingot ssh` does not work"),
      userNamespaces(), controlGroups(), firmware(programs), capacity(),
      networkSupervisor(),
    ] + NetworkChecks(facts: .gather(environment, host: host)).run(subnets: subnets)
  }

  private var searchPath: String { environment.path.joined(separator: ":") }

  private func qemuAndAccelerator() -> [Check] {
    do {
      let qemu = try QEMUBinary.find(searchPath: searchPath, host: host)
      let choice = AcceleratorChoice.probe(qemu, host: host)
      let accelerator =
        choice.accelerator == .kvm
        ? Check.ok("accelerator", "kvm: \(choice.reason)")
        : Check.warn(
          "accelerator", "tcg: \(choice.reason)",
          help: "guests run, several times slower; KVM needs /dev/kvm readable and writable for "
            + "you and a host that isn't itself emulated")
      return [.ok("QEMU", "\(qemu.version) at \(qemu.path)"), accelerator]
    } catch {
      return [
        .fail("QEMU", "\(error)", help: "apt-get install qemu-system-x86"),
        .fail("accelerator", "can't be probed without QEMU", help: nil),
      ]
    }
  }

  private func program(
    _ name: String, _ file: String, package: String, missing: Check.Verdict, consequence: String
  ) -> Check {
    if let path = environment.program(file) { return .ok(name, path) }
    return Check(
      name: name, verdict: missing, detail: "not installed: \(consequence)",
      help: "apt-get install \(package)")
  }

  private func monitor(_ programs: ProgramPaths) -> Check {
    guard access(programs.monitor, X_OK) == 0 else {
      return .fail(
        "ingot-monitor", "not found: machines can't be started",
        help: "install it beside ingot or in ../libexec/ingot")
    }
    return .ok("ingot-monitor", programs.monitor)
  }

  private func networkSupervisor() -> Check {
    let path = Programs.network(environment)
    guard access(path, X_OK) == 0 else {
      return .warn(
        "ingot-network", "not found: networks of mode nat, isolated and bridge can't be run",
        help: "install it beside ingot or in ../libexec/ingot")
    }
    return .ok("ingot-network", path)
  }

  private func homeDirectory() -> Check {
    var place = home
    while !fileExists(place), place != "/" { place = directoryName(place) }
    guard access(place, W_OK | X_OK) == 0 else {
      return .fail(
        "home", "\(place) can't be written",
        help: "choose a directory of yours with --home or INGOT_HOME")
    }
    return .ok("home", place == home ? home : "\(home), made at the first use")
  }

  private func space() -> Check {
    var place = home
    while !fileExists(place), place != "/" { place = directoryName(place) }
    var status = statvfs()
    guard statvfs(place, &status) == 0 else {
      return .warn("disk space", "unknown for \(place)", help: "check the file system there")
    }
    let free = Int64(clamping: status.f_bavail) * Int64(clamping: status.f_frsize)
    let text = "\(sizeText(free)) free below \(place)"
    return free < 4 << 30
      ? .warn("disk space", text, help: "a Debian image with two guests needs about 4 GiB")
      : .ok("disk space", text)
  }

  private func database(_ programs: ProgramPaths) -> Check {
    guard fileExists(home) else { return .ok("database", "none yet") }
    do {
      _ = try EmbeddedEngine.open(
        home: home, host: host, imageBuilder: Programs.imageBuilder(environment, host: host),
        programs: programs)
      return .ok("database", "readable")
    } catch {
      let report = ErrorReport(error)
      return .fail("database", report.message, help: report.help)
    }
  }

  private func userNamespaces() -> Check {
    let help =
      "as root: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"
    guard let unshare = environment.program("unshare") else {
      return .warn(
        "user namespaces", "can't be tried without unshare(1)", help: "apt-get install util-linux")
    }
    do {
      let result = try SpawnRequest(
        unshare, ["--user", "--map-root-user", "true"],
        environment: [
          "PATH=\(searchPath)"
        ]
      ).run(milliseconds: 5000, host: host)
      if result.end == .exited(0) { return .ok("user namespaces", "can be made") }
      let words = String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
      return .warn(
        "user namespaces", "can't be made: \(words.first ?? "unshare failed")", help: help)
    } catch {
      return .warn("user namespaces", "can't be tried: \(error)", help: help)
    }
  }

  private func controlGroups() -> Check {
    guard fileExists("/sys/fs/cgroup/cgroup.controllers") else {
      return .warn(
        "cgroups", "no unified hierarchy: limits of resource pools are not enforced",
        help: "boot the host with systemd.unified_cgroup_hierarchy=1")
    }
    // A process outside any group of the hierarchy just has no writable one.
    let line = (try? readFile("/proc/self/cgroup", limit: 1 << 16)).map {
      String(decoding: $0, as: UTF8.self)
    }
    let group = line?.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3) ?? "/"
    let path = "/sys/fs/cgroup\(group == "/" ? "" : String(group))"
    guard access(path + "/cgroup.procs", W_OK) == 0 else {
      return .warn(
        "cgroups", "v2, but \(path) is not delegated to you: limits are not enforced",
        help: "run in a user session with Delegate=yes, or as root")
    }
    return .ok("cgroups", "v2, \(path) is writable")
  }

  private func firmware(_ programs: ProgramPaths) -> Check {
    guard let code = programs.firmwareCode, programs.firmwareVariables != nil else {
      return .warn(
        "UEFI firmware", "not installed: firmware.boot uefi is refused",
        help: "apt-get install ovmf")
    }
    return .ok("UEFI firmware", code)
  }

  private func capacity() -> Check {
    .ok("capacity", "\(counted(host.processors, "CPU")), \(sizeText(Int64(host.memory))) memory")
  }
}
