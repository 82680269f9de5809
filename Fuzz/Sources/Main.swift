// The fuzzer: `ingot-fuzz TARGET [libFuzzer's options] CORPUS...`, built by Fuzz/run.sh.
import Glibc
import SystemIO

/// A word of the command line.
public typealias Argument = UnsafeMutablePointer<CChar>?
typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

/// libFuzzer's way in for programs that have a main of their own.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<Argument>>, _ body: Body
) -> CInt

/// The main function; `-sanitize=fuzzer` leaves out the one that Swift would make.
@_cdecl("ingot_fuzz_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<Argument>) -> CInt {
  guard count > 1, let word = arguments[1] else { fail("a target or 'pack FILE' is missing") }
  if String(cString: word) == "pack", count > 2, let file = arguments[2] {
    pack(String(cString: file))
    return 0
  }
  guard let body = target(String(cString: word)) else {
    fail("usage: ingot-fuzz ext4|archive|disk|manifest [OPTION...] [CORPUS...]")
  }
  // libFuzzer takes the target's name for its program's.
  var (rest, left) = (arguments + 1, count - 1)
  return runDriver(&left, &rest, body)
}

private func target(_ name: String) -> Body? {
  switch name {
  case "ext4": { bytes, count in tryExt4(input(bytes, count)) }
  case "archive": { bytes, count in tryArchive(input(bytes, count)) }
  case "disk": { bytes, count in tryDisk(input(bytes, count)) }
  case "manifest": { bytes, count in tryManifest(input(bytes, count)) }
  default: nil
  }
}

/// Writes an ext4 image to standard output as the target `ext4` takes it.
private func pack(_ path: String) {
  do {
    let bytes = try readFile(path)
    let copy = dup(1)
    try Descriptor(owning: copy, name: "standard output").write(packed(bytes))
  } catch {
    fail("\(error)")
  }
}

private func input(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  Array(UnsafeBufferPointer(start: bytes, count: count))
}

/// Says what is wrong and ends as a crash, which libFuzzer records with its input.
func fail(_ message: String) -> Never {
  // Whether it could be said makes no difference to the crash.
  try? Descriptor.standardError.write(Array((message + "\n").utf8))
  abort()
}
