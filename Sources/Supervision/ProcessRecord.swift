public import JSON
public import SystemIO

/// Records a process that waits at its gate, then lets it become its program, then makes the
/// record durable.
///
/// A kill of this process can't come between: before the record there is no program. A crash of
/// the host takes the program along, so that the wait for the disk may overlap with its start.
/// - Parameters:
///   - record: what names the process, and all that its later supervisor is to know.
///   - gate: the writing end of what `SpawnRequest.gate` reads.
public func admit(
  _ record: JSONValue, at path: String, through gate: Descriptor
) throws(SystemError) {
  let file = try Descriptor.open(path + ".new", [.readWrite, .create, .truncate])
  try file.write(Array((record.text() + "\n").utf8))
  try renameFile(path + ".new", to: path)
  try gate.write([1])
  try file.synchronize()
  try synchronizeDirectory(directoryName(path))
}
