internal import CLinux
internal import Glibc

/// Open descriptors that go from process to process through a Unix socket (unix(7), SCM_RIGHTS).
public enum PassedDescriptor {
  /// Sends what the kernel takes of the bytes now, the descriptor with the first of them; 0, and
  /// nothing sent, where it takes nothing.
  ///
  /// - Parameter bytes: at least one: a stream carries no descriptor without.
  public static func send(
    _ descriptor: Descriptor, with bytes: ArraySlice<UInt8>, on socket: Descriptor
  ) throws(SystemError) -> Int {
    let sent = bytes.withUnsafeBytes { buffer in
      clinux_send_with_fd(socket.raw, buffer.baseAddress, UInt(buffer.count), descriptor.raw)
    }
    if sent >= 0 { return sent }
    let number = errno
    if number == EAGAIN || number == EINTR { return 0 }
    throw SystemError("pass \(descriptor.name) on", socket.name, errno: number)
  }

  /// Receives what is there, as `StreamSocket.receive` does, and a descriptor where one came.
  ///
  /// Bytes after those that a descriptor came with are left for the next call.
  /// - Parameter name: what the descriptor is open on, for messages.
  public static func receive(
    from socket: Descriptor, atMost count: Int = 1 << 14, name: String
  ) throws(SystemError) -> (bytes: [UInt8], descriptor: Descriptor?)? {
    var number: Int32 = 0
    var raw: Int32 = -1
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      let received = clinux_receive_with_fd(socket.raw, buffer.baseAddress, UInt(count), &raw)
      number = received < 0 ? errno : 0
      used = max(0, received)
    }
    if number == 0 {
      return (bytes, raw < 0 ? nil : Descriptor(owning: raw, name: name))
    }
    if number == EAGAIN || number == EINTR { return nil }
    throw SystemError("receive from", socket.name, errno: number)
  }
}
