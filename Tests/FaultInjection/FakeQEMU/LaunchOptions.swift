internal import JSON

/// QEMU's command line, as far as the stand-in heeds it; an option it does not know is refused.
struct LaunchOptions {
  /// A socket it is handed.
  struct Socket {
    var descriptor: Int32
    var isListening: Bool
    var logFile: String?
  }

  var sockets: [String: Socket] = [:]
  var blocks: [JSONValue] = []
  var devices: [JSONValue] = []
  /// Networks by id, each with its forwards as `tcp:127.0.0.1:8080-:80`, or a tap's descriptor.
  var networks: [(id: String, forwards: [String], tap: Int32?)] = []
  var processors = 1
  var maximumProcessors = 1
  /// The sizes of memory backends, by id.
  var backends: [String: Int64] = [:]
  var memory: Int64 = 128 << 20
  var isStopped = false

  /// Options that change nothing that can be seen from outside.
  private static let ignored: Set<String> = [
    "-name", "-uuid", "-display", "-msg", "-sandbox", "-action", "-global", "-accel", "-cpu",
    "-machine", "-kernel", "-initrd", "-append", "-mon", "-serial",
  ]

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      if option == "-nodefaults" || option == "-no-user-config" { continue }
      if option == "-S" {
        isStopped = true
        continue
      }
      guard let value = rest.popFirst() else { throw Problem("\(option): requires an argument") }
      switch option {
      case _ where Self.ignored.contains(option): break
      case "-smp":
        let parts = Self.parts(value)
        processors = Int(parts[0].value) ?? 1
        let most = parts.first { $0.name == "maxcpus" }.flatMap { Int($0.value) }
        maximumProcessors = most ?? processors
      case "-object":
        let parts = Self.parts(value)
        if let id = parts.first(where: { $0.name == "id" })?.value {
          backends[id] = parts.first { $0.name == "size" }.flatMap { Int64($0.value) } ?? 0
        }
      case "-m": memory = Self.bytes(Self.parts(value)[0].value)
      case "-blockdev": blocks.append(try JSONValue(parsing: value))
      case "-device": devices.append(try Self.device(value))
      case "-chardev": addSocket(value)
      case "-netdev":
        let parts = Self.parts(value)
        networks.append(
          (
            id: parts.first { $0.name == "id" }?.value ?? "",
            forwards: parts.filter { $0.name == "hostfwd" }.map(\.value),
            tap: parts.first { $0.name == "fd" }.flatMap { Int32($0.value) }
          ))
      default: throw Problem("\(option): invalid option")
      }
    }
  }

  private mutating func addSocket(_ value: String) {
    let parts = Self.parts(value)
    func part(_ name: String) -> String? { parts.first { $0.name == name }?.value }
    guard let id = part("id"), let descriptor = part("fd").flatMap(Int32.init) else { return }
    sockets[id] = Socket(
      descriptor: descriptor, isListening: part("server") == "on", logFile: part("logfile"))
  }

  private static func device(_ text: String) throws -> JSONValue {
    if text.hasPrefix("{") { return try JSONValue(parsing: text) }
    var device: JSONValue = [:]
    for (index, part) in parts(text).enumerated() {
      device[index == 0 && part.name.isEmpty ? "driver" : part.name] = .string(part.value)
    }
    return device
  }

  /// `a,b=c` as an unnamed and a named part; `,,` is a comma of the value.
  private static func parts(_ text: String) -> [(name: String, value: String)] {
    var pieces: [String] = [""]
    var characters = Array(text)[...]
    while let character = characters.popFirst() {
      if character != "," {
        pieces[pieces.count - 1].append(character)
      } else if characters.first == "," {
        characters.removeFirst()
        pieces[pieces.count - 1].append(",")
      } else {
        pieces.append("")
      }
    }
    return pieces.map { piece in
      guard let equals = piece.firstIndex(of: "=") else { return ("", piece) }
      return (String(piece[..<equals]), String(piece[piece.index(after: equals)...]))
    }
  }

  private static func bytes(_ text: String) -> Int64 {
    text.hasSuffix("b") ? Int64(text.dropLast()) ?? 0 : (Int64(text) ?? 0) << 20
  }
}
