internal import SystemIO

/// The programs of the host that networks are made with.
enum NetworkTool: String, CaseIterable {
  case dnsmasq, ip, nft, nsenter, slirp4netns, tc, unshare

  private static let searchPath = "/usr/sbin:/usr/bin:/sbin:/bin"

  private var package: String {
    switch self {
    case .dnsmasq: "dnsmasq-base"
    case .ip, .tc: "iproute2"
    case .nft: "nftables"
    case .nsenter, .unshare: "util-linux"
    case .slirp4netns: "slirp4netns"
    }
  }

  /// Where it is.
  func path() throws(NetworkError) -> String {
    if let path = findExecutable(rawValue, searchPath: Self.searchPath) { return path }
    throw NetworkError(
      "networks need '\(rawValue)', which is not in \(Self.searchPath); install the package "
        + "'\(package)'")
  }

  /// A start of it with these arguments.
  func request(_ arguments: [String]) throws(NetworkError) -> SpawnRequest {
    SpawnRequest(
      try path(), arguments, environment: ["PATH=\(Self.searchPath)", "LC_ALL=C"], directory: "/")
  }
}
