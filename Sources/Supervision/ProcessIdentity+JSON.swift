public import JSON
public import SystemIO

extension ProcessIdentity {
  /// The members that name a process in a record.
  public var json: JSONObject {
    [
      "pid": .integer(Int64(pid)),
      // As text: clock ticks have no limit that a reader of JSON numbers would keep.
      "startTime": .string("\(startTime)"), "bootID": .string(bootID),
    ]
  }

  /// Reads the members that name a process in a record.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    guard let start = UInt64(try reader.member("startTime").string()) else {
      throw JSONShapeError(path: "startTime", expected: "a number of clock ticks")
    }
    self.init(
      pid: try reader.member("pid").integer(1 ... .max), startTime: start,
      bootID: try reader.member("bootID").string())
  }
}
