public import Networking
public import SystemIO

/// The programs of the host that networks are made with.
public enum NetworkTool: String, Sendable, CaseIterable {
  /// Addresses and names for guests.
  case dnsmasq
  /// Links, addresses and routes.
  case ip
  /// Rules for packets.
  case nft
  /// The way into a namespace.
  case nsenter
  /// The way out for an ordinary user.
  case slirp4netns
  /// Limits of bandwidth.
  case tc
  /// The way to a new namespace.
  case unshare

  private static let searchPath = "/usr/sbin:/usr/bin:/sbin:/bin"

  /// The Debian package that has it.
  public var package: String {
    switch self {
    case .dnsmasq: "dnsmasq-base"
    case .ip, .tc: "iproute2"
    case .nft: "nftables"
    case .nsenter, .unshare: "util-linux"
    case .slirp4netns: "slirp4netns"
    }
  }

  /// Where it is.
  public func path() throws(NetworkError) -> String {
    if let path = findExecutable(rawValue, searchPath: Self.searchPath) { return path }
    throw NetworkError(
      "networks need '\(rawValue)', which is not in \(Self.searchPath); install the package "
        + "'\(package)'")
  }

  /// A start of it with these arguments.
  public func request(_ arguments: [String]) throws(NetworkError) -> SpawnRequest {
    SpawnRequest(
      try path(), arguments, environment: ["PATH=\(Self.searchPath)", "LC_ALL=C"], directory: "/")
  }
}
