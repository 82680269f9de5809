internal import Glibc
internal import SystemIO

/// Standard input as a descriptor of its own, so that closing it leaves number 0 open.
func standardInput() throws(SystemError) -> Descriptor {
  let raw = try checked("read", "standard input") { dup(STDIN_FILENO) }
  return Descriptor(owning: raw, name: "standard input")
}
