/// A size for people, to three digits: `1.43 GiB`, `512 MiB`, `17 B`.
func sizeText(_ bytes: Int64) -> String {
  let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
  var unit = 0
  var scale: Int64 = 1
  while unit < units.count - 1, bytes / scale >= 1024 {
    scale *= 1024
    unit += 1
  }
  let whole = bytes / scale
  let digits = unit == 0 ? 0 : whole < 10 ? 2 : whole < 100 ? 1 : 0
  return "\(decimal(bytes, over: scale, digits: digits)) \(units[unit])"
}

/// `value / scale` with as many digits behind the point, cut off; trailing zeros are left out.
private func decimal(_ value: Int64, over scale: Int64, digits: Int) -> String {
  let power: Int64 = [1, 10, 100][digits]
  let fraction = (value % scale) * power / scale
  guard fraction > 0 else { return String(value / scale) }
  var text = String(fraction)
  text = String(repeating: "0", count: digits - text.count) + text
  while text.hasSuffix("0") { text.removeLast() }
  return "\(value / scale).\(text)"
}

/// An age for people, in one unit: `12s`, `5m`, `3h`, `4d`.
func ageText(_ seconds: Int64) -> String {
  switch seconds {
  case ..<0: "0s"
  case ..<120: "\(seconds)s"
  case ..<7200: "\(seconds / 60)m"
  case ..<172_800: "\(seconds / 3600)h"
  default: "\(seconds / 86400)d"
  }
}

/// A stretch of time measured in nanoseconds: `0.4s`, `12s`, `3m05s`.
func elapsedText(_ nanoseconds: UInt64) -> String {
  let tenths = nanoseconds / 100_000_000
  if tenths < 100 { return "\(tenths / 10).\(tenths % 10)s" }
  let seconds = tenths / 10
  if seconds < 60 { return "\(seconds)s" }
  let rest = seconds % 60
  return "\(seconds / 60)m\(rest < 10 ? "0" : "")\(rest)s"
}
