internal import JSON
internal import QEMU

/// A network card of a running guest whose cable leads into a network, as its monitor keeps it in
/// the record of the guest: one that takes the guest up later knows as much.
public struct GuestTap: Hashable, Sendable {
  /// QEMU's name of what is behind the card.
  public var id: String
  /// The path of the network's directory.
  public var network: String
  /// The network's name of the tap.
  public var port: String
  /// The network namespace that the tap is in; 0 where the network has none of its own, or while
  /// the card is between two.
  public var namespace: UInt64
  /// What `device_add` made the card of; nil before it did.
  var device: JSONObject?
  /// Whether the cable is plugged in.
  var isConnected: Bool
  /// Whether the guest was told to let go of the card for good.
  var isLeaving = false

  init(
    _ id: String, _ tap: QMPCommand.Tap, namespace: UInt64, device: JSONObject? = nil,
    isConnected: Bool = true
  ) {
    self.id = id
    network = tap.network
    port = tap.port
    self.namespace = namespace
    self.device = device
    self.isConnected = isConnected
  }

  /// The place it has in its network.
  var tap: QMPCommand.Tap { QMPCommand.Tap(network: network, port: port) }

  /// The card's name in QMP.
  var deviceID: String? { device?["id"]?.string }

  var json: JSONValue {
    [
      "id": .string(id), "network": .string(network), "port": .string(port),
      "namespace": .integer(Int64(clamping: namespace)),
      "device": device.map(JSONValue.object) ?? .null, "isConnected": .bool(isConnected),
      "isLeaving": .bool(isLeaving),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    id = try reader.member("id").string()
    network = try reader.member("network").string()
    port = try reader.member("port").string()
    namespace = try reader.member("namespace").integer(0 ... .max)
    device = reader.optional("device")?.value.object
    isConnected = try reader.member("isConnected").bool()
    isLeaving = try reader.member("isLeaving").bool()
  }
}
