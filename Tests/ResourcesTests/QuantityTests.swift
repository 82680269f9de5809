import Resources
import Testing

@Suite("Quantities")
struct QuantityTests {
  @Test(
    "bytes",
    arguments: [
      ("0", 0), ("513", 513), ("1Ki", 1024), ("2Gi", 2 << 30), ("1.5Gi", 3 << 29),
      ("10G", 10_000_000_000),
      ("0.5k", 500), ("1Ti", 1 << 40), ("7Ei", 7 << 60), ("9223372036854775807", .max),
    ] as [(String, Int64)])
  func bytes(text: String, expected: Int64) throws {
    #expect(try Quantity.bytes(text) == expected)
  }

  @Test(
    "what is no quantity of bytes is refused",
    arguments: [
      "", "Gi", "-1", "+1", "1 Gi", "1.Gi", ".5Gi", "1..5", "1GB", "1gi", "0.3Ki", "0.1", "8Ei",
      "9223372036854775808", "99999999999999999999999999999999", "１Ki", "1e3",
    ])
  func badBytes(text: String) {
    let error = #expect(throws: QuantityError.self) { try Quantity.bytes(text) }
    #expect(error?.description.contains("'\(text)'") == true)
  }

  @Test("a usual slip is told how to write it")
  func slips() {
    let error = #expect(throws: QuantityError.self) { try Quantity.bytes("512MB") }
    #expect(error?.help == "write '512Mi' (powers of 1024) or '512M' (powers of 1000)")
  }

  @Test(
    "CPU in thousandths",
    arguments: [("2", 2000), ("500m", 500), ("0.5", 500), ("1.25", 1250), ("0", 0)]
      as [(String, Int64)])
  func millicores(text: String, expected: Int64) throws {
    #expect(try Quantity.millicores(text) == expected)
  }

  @Test("what is no CPU is refused", arguments: ["", "m", "0.0001", "0.5m", "2Gi", "-1", "2 m"])
  func badMillicores(text: String) {
    #expect(throws: QuantityError.self) { try Quantity.millicores(text) }
  }

  @Test(
    "durations",
    arguments: [
      ("0s", 0), ("90s", 90), ("3m", 180), ("1h30m", 5400), ("1d", 86_400), ("1d2h3m4s", 93_784),
    ] as [(String, Int64)])
  func seconds(text: String, expected: Int64) throws {
    #expect(try Quantity.seconds(text) == expected)
  }

  @Test(
    "what is no duration is refused",
    arguments: [
      "", "30", "s", "1s1m", "1m1m", "-1s", "1.5h", "1w", "999999999999999999d",
      "9223372036854775807s1s",
    ])
  func badSeconds(text: String) {
    #expect(throws: QuantityError.self) { try Quantity.seconds(text) }
  }

  @Test("the text of a quantity is short and reads back as the same")
  func texts() throws {
    #expect(Quantity.text(bytes: 2 << 30) == "2Gi")
    #expect(Quantity.text(bytes: 10_000_000_000) == "10G")
    #expect(Quantity.text(bytes: 0) == "0")
    #expect(Quantity.text(millicores: 1500) == "1500m")
    #expect(Quantity.text(millicores: 3000) == "3")
    #expect(Quantity.text(seconds: 5400) == "1h30m")
    #expect(Quantity.text(seconds: 0) == "0s")
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    for _ in 0..<1000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = (Int64(state >> 1) >> Int64(state % 60)) & ~((1 << Int64(state % 7)) - 1)
      guard value >= 0 else { continue }
      #expect(try Quantity.bytes(Quantity.text(bytes: value)) == value, "seed \(seed)")
      #expect(try Quantity.seconds(Quantity.text(seconds: value)) == value, "seed \(seed)")
      let small = value % (1 << 50)
      #expect(try Quantity.millicores(Quantity.text(millicores: small)) == small, "seed \(seed)")
    }
  }
}
