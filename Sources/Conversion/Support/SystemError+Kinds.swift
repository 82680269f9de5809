internal import Glibc
internal import SystemIO

extension SystemError {
  /// Whether a symbolic link stood where none is followed.
  var isLinkLoop: Bool { errno == ELOOP }
}
