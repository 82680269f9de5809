import EngineInterface
import TestSupport
import Testing

@testable import EmbeddedEngine

@Suite("How far a guest came, by its console")
struct BootRecognitionTests {
  struct Recording: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var stage: BootProgress.Stage
    var evidence: String?
    var isStuck = false
    var testDescription: String { name }
  }

  @Test("what was recorded is recognised", arguments: Recordings.all)
  func recorded(recording: Recording) {
    let progress = BootRecognition.progress(of: Array(recording.text.utf8))
    #expect(progress.stage == recording.stage)
    if let evidence = recording.evidence { #expect(progress.evidence == evidence) }
    #expect(progress.isStuck == recording.isStuck)
  }

  @Test("in pieces of any size", arguments: Recordings.all)
  func pieces(recording: Recording) {
    let bytes = Array(recording.text.utf8)
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    var recognition = BootRecognition()
    var offset = 0
    while offset < bytes.count {
      let end = min(bytes.count, offset + Int.random(in: 1...9, using: &random))
      recognition.take(Array(bytes[offset..<end]))
      _ = recognition.current
      offset = end
    }
    #expect(recognition.current == BootRecognition.progress(of: bytes), "seed \(seed)")
  }

  @Test("a boot goes on from one stage to the next, and begins anew")
  func course() {
    var recognition = BootRecognition()
    var stages: [BootProgress.Stage] = [recognition.current.stage]
    for text in [
      "\u{1b}c\u{1b}[?7l\u{1b}[2J\u{1b}[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n",
      "Booting from Hard Disk...\r\n", "\u{1b}[0m\u{1b}[2J\u{1b}[01;01HGNU GRUB  version 2.06",
      "\u{1b}[05;02H*Debian GNU/Linux\u{1b}[06;02H Advanced options",
      "\u{1b}[2J\u{1b}[01;01HLoading Linux 6.1.0-18-amd64 ...\r\n",
      "[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)\r\n",
      "[    1.250000] Run /init as init process\r\nLoading, please wait...\r\n",
      "[    2.1] random: crng init done\r\n",
      "\r\nWelcome to \u{1b}[1mDebian GNU/Linux 12 (bookworm)\u{1b}[0m!\r\n",
      "[   12.345678] cloud-init[301]: Cloud-init v. 22.4.2 running 'init-local'\r\n",
      "\r\nDebian GNU/Linux 12 web1 ttyS0\r\n\r\nweb1 login: ",
      "\r\nci-info: no authorized SSH keys fingerprints found for user debian.\r\n",
      "[  300.1] Kernel panic - not syncing: Fatal exception in interrupt\r\n",
      "[  300.2] Rebooting in 10 seconds..", "\u{1b}cSeaBIOS (version 1.16.2)\r\n",
    ] {
      recognition.take(Array(text.utf8))
      if recognition.current.stage != stages.last { stages.append(recognition.current.stage) }
    }
    #expect(
      stages == [
        .silent, .firmware, .bootLoader, .kernel, .initramfs, .system, .cloudInit, .login, .panic,
        .firmware,
      ])
  }

  @Test(
    "a text in the middle of a line, or as others show it, says nothing",
    arguments: [
      "user@web1:~$ echo Kernel panic - not syncing: no\r\n",
      "Nov 25 10:00:00 web1 kernel: Kernel panic - not syncing: no\r\n",
      "see 'grub rescue>' in the manual\r\n", "Last login: Mon Nov 25 from 10.0.2.2\r\n",
      "web1 login: root\r\nPassword: \r\nroot@web1:~# ",
      "web1 login: \r\nYou may see (initramfs) or ALERT! UUID=x does not exist\r\n",
    ])
  func quotations(text: String) {
    let start = "Welcome to Debian!\r\nweb1 login: \r\n"
    let progress = BootRecognition.progress(of: Array((start + text).utf8))
    #expect(progress.stage == .login)
    #expect(!progress.isStuck)
  }

  @Test("whatever a guest writes, the work is bounded and the evidence harmless")
  func hostile() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    var bytes = random.bytes(1 << 18)
    // A line, a control string and a sequence without end.
    bytes += Array("\u{1b}]8;;".utf8) + Array(repeating: 0x41, count: 1 << 16)
    bytes += Array("\u{1b}[".utf8) + Array(repeating: 0x31, count: 1 << 16) + Array("m\r\n".utf8)
    bytes += Array("Kernel panic - not syncing: \u{202e}evil\u{9b}31m\u{1b}]0;t\u{7}\u{0} ".utf8)
    bytes += Array(repeating: 0x42, count: 1 << 16) + Array("\r\n".utf8)
    let progress = BootRecognition.progress(of: bytes)
    #expect(progress.stage == .panic, "seed \(seed)")
    #expect(progress.evidence.hasPrefix("Kernel panic - not syncing: evil31m BBB"))
    #expect(progress.evidence.count == 200)
  }
}
