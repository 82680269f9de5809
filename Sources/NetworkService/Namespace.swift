internal import Networking
internal import SystemIO

/// A network namespace, held open: it stays while this does, whatever process of it ends.
struct Namespace {
  /// The descriptors' numbers in a program that is to enter.
  private static let targets: (user: Int32, network: Int32) = (8, 9)

  /// The user namespace that it belongs to; nil where that is the host's.
  private let user: Descriptor?
  private let network: Descriptor
  /// The network namespace's inode number, by which the kernel tells them apart.
  let inode: UInt64

  /// Opens the namespace of a process.
  ///
  /// - Throws: `NetworkError` where it is in the caller's own.
  init(of pid: Int32) throws {
    let user = try Descriptor.open("/proc/\(pid)/ns/user", .read)
    self.user = try user.status().inode == Self.inode(of: "user") ? nil : user
    network = try Descriptor.open("/proc/\(pid)/ns/net", .read)
    inode = try network.status().inode
    if try inode == Self.own() {
      throw NetworkError("process \(pid) has no network namespace of its own")
    }
  }

  /// The inode number of the caller's own network namespace.
  static func own() throws(SystemError) -> UInt64 { try inode(of: "net") }

  private static func inode(of kind: String) throws(SystemError) -> UInt64 {
    try Descriptor.open("/proc/self/ns/\(kind)", .read).status().inode
  }

  /// A start of a program in a namespace of its own, with all rights there.
  static func creating(_ request: SpawnRequest) throws(NetworkError) -> SpawnRequest {
    var created = request
    created.executable = try NetworkTool.unshare.path()
    // Root's namespace belongs to the host's user namespace, so that it can have links to it.
    let options = effectiveUserID() == 0 ? ["--net"] : ["--user", "--map-root-user", "--net"]
    created.arguments = options + ["--", request.executable] + request.arguments
    return created
  }

  /// A start of a program in the namespace.
  func entering(_ request: SpawnRequest) throws(NetworkError) -> SpawnRequest {
    try entering(request, network: true)
  }

  /// A start of a program with the rights over the namespace and yet outside of it.
  ///
  /// - Parameter make: is given the path by which the program finds the namespace.
  func owning(_ make: (String) throws(NetworkError) -> SpawnRequest) throws(NetworkError)
    -> SpawnRequest
  {
    try entering(try make("/proc/self/fd/\(Self.targets.network)"), network: false)
  }

  private func entering(
    _ request: SpawnRequest, network entersNetwork: Bool
  ) throws(NetworkError) -> SpawnRequest {
    var entered = request
    entered.descriptors.append((target: Self.targets.network, source: network))
    var options: [String] = []
    if let user {
      entered.descriptors.append((target: Self.targets.user, source: user))
      // An ordinary user may not set groups there; the user is root there already.
      options = ["--preserve-credentials", "--user=/proc/self/fd/\(Self.targets.user)"]
    }
    if entersNetwork { options.append("--net=/proc/self/fd/\(Self.targets.network)") }
    if options.isEmpty { return entered }
    entered.executable = try NetworkTool.nsenter.path()
    entered.arguments = options + ["--", request.executable] + request.arguments
    return entered
  }
}
