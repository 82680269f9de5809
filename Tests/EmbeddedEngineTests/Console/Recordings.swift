import EngineInterface

/// Ends of consoles as guests wrote them, cut to what tells.
enum Recordings {
  static let all: [BootRecognitionTests.Recording] = [
    .init(name: "nothing", text: "", stage: .silent),
    .init(name: "a bare program", text: "READY\r\n", stage: .unrecognized),
    .init(
      name: "SeaBIOS without a disk",
      text: """
        \u{1b}c\u{1b}[?7l\u{1b}[2J\u{1b}[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r
        \r
        Booting from Hard Disk...\r
        Boot failed: not a bootable disk\r
        \r
        No bootable device.  Retrying in 60 seconds.\r

        """, stage: .noBootDevice,
      evidence: "No bootable device.  Retrying in 60 seconds.", isStuck: true),
    .init(
      name: "OVMF without a disk",
      text: """
        \u{1b}[2J\u{1b}[01;01H\u{1b}[=3h\u{1b}[2J\u{1b}[01;01HBdsDxe: failed to load Boot0001 \
        "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0): Not Found\r
        BdsDxe: No bootable option or device was found.\r
        BdsDxe: Press any key to enter the Boot Manager Menu.\r
        """, stage: .noBootDevice, evidence: "BdsDxe: No bootable option or device was found.",
      isStuck: true),
    .init(
      name: "the UEFI shell",
      text: """
        BdsDxe: loading Boot0002 "EFI Internal Shell" from Fv(7CB8BDC9)\r
        BdsDxe: starting Boot0002 "EFI Internal Shell" from Fv(7CB8BDC9)\r
        \u{1b}[2J\u{1b}[01;01HUEFI Interactive Shell v2.2\r
        EDK II\r
        UEFI v2.70 (EDK II, 0x00010000)\r
        Mapping table\r
        Press ESC in 1 seconds to skip startup.nsh or any other key to continue.\r
        Shell> \u{1b}[37m\u{1b}[40m
        """, stage: .firmwareShell, isStuck: true),
    .init(
      name: "GRUB's menu",
      text: """
        \u{1b}[0m\u{1b}[30m\u{1b}[47mWelcome to GRUB!\r
        \r
        \u{1b}[0m\u{1b}[37m\u{1b}[40m\u{1b}[2J\u{1b}[01;01H\u{1b}[1;24HGNU GRUB  version 2.06-13\
        \u{1b}[3;2H/----\\ \u{1b}[5;3H*Debian GNU/Linux \u{1b}[22;5HThe highlighted entry will be \
        executed automatically in 5s.
        """, stage: .bootLoader),
    .init(
      name: "GRUB's prompt",
      text: """
        \u{1b}[2J\u{1b}[01;01H\u{1b}[1;24HGNU GRUB  version 2.06-13+deb12u1\r
        \r
           Minimal BASH-like line editing is supported.\r
        \r
        \r
        grub> \u{1b}[5n
        """, stage: .bootLoaderPrompt, isStuck: true),
    .init(
      name: "GRUB's rescue mode",
      text: """
        GRUB loading.\r
        Welcome to GRUB!\r
        \r
        error: no such device: 0b1c6f0e-5a53-4fd0-8d2c-dd0d2e3dbb4c.\r
        Entering rescue mode...\r
        grub rescue> \

        """, stage: .grubRescue,
      evidence: "error: no such device: 0b1c6f0e-5a53-4fd0-8d2c-dd0d2e3dbb4c.", isStuck: true),
    .init(
      name: "the kernel",
      text: """
        [    0.000000] Linux version 6.1.0-18-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12)\r
        [    0.000000] Command line: root=UUID=8325 ro console=ttyS0\r
        [    0.012000] x86/fpu: x87 FPU will use FXSAVE\r
        """, stage: .kernel),
    .init(
      name: "an initramfs that waits",
      text: """
        [    2.917386] Run /init as init process\r
        Loading, please wait...\r
        Starting systemd-udevd version 252.22-1~deb12u1\r
        Begin: Loading essential drivers ... done.\r
        Begin: Mounting root file system ... Begin: Running /scripts/local-top ... done.\r
        Begin: Waiting for root file system ... Begin: Running /scripts/local-block ... done.\r
        """, stage: .initramfs),
    .init(
      name: "an initramfs without its root",
      text: """
        Begin: Running /scripts/local-block ... done.\r
        done.\r
        Gave up waiting for root file system device.  Common problems:\r
         - Boot args (cat /proc/cmdline)\r
           - Check rootdelay= (did the system wait long enough?)\r
         - Missing modules (cat /proc/modules; ls /dev)\r
        ALERT!  UUID=832dbb70-d828-8387-bb25-083a5a76a3f5 does not exist.  Dropping to a shell!\r
        \r
        \r
        BusyBox v1.35.0 (Debian 1:1.35.0-4+b3) built-in shell (ash)\r
        Enter 'help' for a list of built-in commands.\r
        \r
        (initramfs) \u{1b}[6n
        """, stage: .initramfsShell,
      evidence: "ALERT!  UUID=832dbb70-d828-8387-bb25-083a5a76a3f5 does not exist.  Dropping to a "
        + "shell!", isStuck: true),
    .init(
      name: "an initramfs that restarts the machine",
      text: """
        Begin: Waiting for root file system ... done.\r
        Gave up waiting for root file system device.  Common problems:\r
        ALERT!  /dev/vdz1 does not exist.  Dropping to a shell!\r
        Rebooting automatically due to panic= boot argument\r
        """, stage: .initramfsShell),
    .init(
      name: "dracut without its root",
      text: """
        Welcome to CentOS Stream 9 dracut-057-53.git20240104.el9 (Initramfs)!\r
        [  OK  ] Reached target Local File Systems.\r
        [  190.1] dracut-initqueue[433]: Warning: Could not boot.\r
        \r
        Generating "/run/initramfs/rdsosreport.txt"\r
        \r
        \r
        Entering emergency mode. Exit the shell to continue.\r
        dracut:/# \

        """, stage: .initramfsShell,
      evidence: "dracut-initqueue[433]: Warning: Could not boot.", isStuck: true),
    .init(
      name: "systemd at work",
      text: """
        [    3.3] systemd[1]: systemd 252.22-1~deb12u1 running in system mode\r
        \r
        Welcome to \u{1b}[1mDebian GNU/Linux 12 (bookworm)\u{1b}[0m!\r
        \r
        [\u{1b}[0;32m  OK  \u{1b}[0m] Created slice \u{1b}[0;1;39msystem-getty.slice\u{1b}[0m.\r
        """, stage: .system),
    .init(
      name: "emergency mode",
      text: """
        Welcome to \u{1b}[1mDebian GNU/Linux 12 (bookworm)\u{1b}[0m!\r
        [\u{1b}[0;1;31m TIME \u{1b}[0m] Timed out waiting for device \u{1b}[0;1;39m/dev/vdb1\u{1b}[0m.\r
        [\u{1b}[0;1;38;5;185mDEPEND\u{1b}[0m] Dependency failed for \u{1b}[0;1;39m/srv\u{1b}[0m.\r
        [\u{1b}[0;1;38;5;185mDEPEND\u{1b}[0m] Dependency failed for Local File Systems.\r
        You are in emergency mode. After logging in, type "journalctl -xb" to view\r
        system logs, "systemctl reboot" to reboot, "systemctl default" or "exit"\r
        to boot into default mode.\r
        Give root password for maintenance\r
        (or press Control-D to continue): \

        """, stage: .emergencyMode, evidence: "[ TIME ] Timed out waiting for device /dev/vdb1.",
      isStuck: true),
    .init(
      name: "emergency mode, root locked",
      text: """
        Welcome to Debian GNU/Linux 12 (bookworm)!\r
        You are in emergency mode. After logging in, type "journalctl -xb" to view\r
        Cannot open access to console, the root account is locked.\r
        See sulogin(8) man page for more details.\r
        \r
        Press Enter to continue.\r
        """, stage: .emergencyMode, isStuck: true),
    .init(
      name: "rescue mode",
      text: """
        Welcome to Debian GNU/Linux 12 (bookworm)!\r
        You are in rescue mode. After logging in, type "journalctl -xb" to view\r
        Give root password for maintenance\r
        """, stage: .rescueMode, isStuck: true),
    .init(
      name: "emergency mode that somebody left",
      text: """
        Welcome to Debian GNU/Linux 12 (bookworm)!\r
        You are in emergency mode. After logging in, type "journalctl -xb" to view\r
        (or press Control-D to continue): \r
        \r
        Debian GNU/Linux 12 web1 ttyS0\r
        \r
        web1 login: \

        """, stage: .login),
    .init(
      name: "a kernel without its root",
      text: """
        [    1.5] VFS: Cannot open root device "UUID=x" or unknown-block(0,0): error -6\r
        [    1.6] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r
        [    1.7] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0-18-cloud-amd64 #1\r
        [    1.8] Call Trace:\r
        [    1.9] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on \
        unknown-block(0,0) ]---\r
        """, stage: .panic,
      evidence: "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
      isStuck: true),
    .init(
      name: "a panic that reboots",
      text: """
        [    1.6] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r
        [    1.9] Rebooting in 10 seconds..
        """, stage: .panic),
    .init(
      name: "cloud-init",
      text: """
        Welcome to Debian GNU/Linux 12 (bookworm)!\r
        [   21.101] cloud-init[301]: Cloud-init v. 22.4.2 running 'init' at Mon, 25 Nov 2024\r
        [   21.2] cloud-init[301]: ci-info: ++++Net device info++++\r
        """, stage: .cloudInit),
    .init(
      name: "a login prompt", text: "\r\nDebian GNU/Linux 12 web1 ttyS0\r\n\r\nweb1 login: ",
      stage: .login, evidence: "web1 login:"),
    .init(
      name: "a login prompt with systemd's context in it",
      text: "\u{1b}]3008;start=0a;type=session\u{1b}\\\r\nweb1 login: ", stage: .login),
  ]
}
