import SystemIO
import TestSupport
import Testing

/// A file tree with every kind of file, attribute and name that a converter may stumble over.
///
/// What it holds stands in the kernel's and the tools' own words, so that the tree does not depend
/// on the code it tests. Needs root and a file system that knows all of it, such as ext4.
enum NastyTree {
  /// Makes the tree as `name` in a directory, and sees to it that it goes with the directory: its
  /// files are immutable, its names no text, and its paths longer than the kernel takes.
  static func make(_ name: String, in scratch: Scratch) async throws {
    let path = scratch.file(name)
    scratch.onEnd {
      // What stays behind is in the temporary directory; a test has nobody to tell.
      _ = try? Tool.run("chattr", ["-R", "-f", "-i", "-a", path + "/flags"])
      _ = try? Tool.run("rm", ["-rf", path])
    }
    for script in [names, contents, kinds, metadata, attributes, depth] {
      try await shell("set -eu; mkdir -p \(name); cd \(name)\n" + script, in: scratch.path)
    }
  }

  private static let names = #"""
    mkdir -m 755 etc dev proc sys run; mkdir -m 1777 tmp
    echo 'UUID=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee / ext4 errors=remount-ro 0 1' > etc/fstab
    mkdir names large long
    perl -e '
      chdir "names" or die;
      for my $name ("\xff" x 255, "a" x 255, "line\nbreak", "back\\slash", " leading",
        "trailing ", "e\xcc\x81", "\xc3\xa9", "n\xe4me", "\x01\x7f\x80\xfe", "...", "-rf", "*",
        "\"\x27\$(true)\`", "tab\there", "pipe|colon:", "lost+found", "%s%n", "\x1b[31m") {
        open my $file, ">", $name or die "$name: $!";
        print $file "$name\n";
      }
      mkdir "direc\ntory" or die;
      symlink "\xff\n target", "link\xfe" or die;
      for my $n (1 .. 20000) { open my $file, ">", sprintf("../large/%05d-\xc3\xa4", $n) or die }
      for my $n (1 .. 2000) { mkdir sprintf("../long/%04d", $n) . "\xfd" x 251 or die }
      '
    """#

  private static let contents = #"""
    mkdir sizes holes
    for size in 0 1 59 60 61 155 156 4095 4096 4097 65535 65536 65537 1048576 1048577 9000001; do
      seq 2000000 | head -c $size > sizes/$size
    done
    head -c 300000 /dev/zero > sizes/zeros
    truncate -s 5M holes/nothing-else
    truncate -s 1M holes/first; echo end >> holes/first
    echo start > holes/last; truncate -s 3M holes/last
    truncate -s 3T holes/huge; echo end >> holes/huge
    for at in 0 1073741824 2199023255551 2199023259648; do
      printf middle | dd of=holes/huge bs=1 seek=$at conv=notrunc status=none
    done
    perl -e 'open my $file, ">", "holes/comb" or die;
      for my $n (0 .. 1499) { sysseek $file, $n * 16384 + 8192, 0; syswrite $file, $n x 1000 }'
    """#

  private static let kinds = #"""
    mkdir kinds links
    cd kinds
    mkfifo fifo
    perl -MSocket -e 'socket my $s, PF_UNIX, SOCK_STREAM, 0; bind $s, sockaddr_un("socket") or die'
    for device in 'c 0 0' 'c 5 1' 'c 255 255' 'c 256 256' 'b 259 70000' 'b 4095 1048575'; do
      mknod "${device// /-}" $device
    done
    mkdir -m 1777 sticky; mkdir -m 2775 group; mkdir -m 0000 closed; mkdir empty
    for mode in 0000 0400 0755 1644 2755 4751 6777; do echo $mode > $mode; chmod $mode $mode; done
    cd ../links
    echo shared > one; ln one two; ln one ../kinds/three
    perl -e 'for (1 .. 1000) { link "one", "many-$_" or die }'
    for length in 1 59 60 61 255 4095; do
      ln -s "$(head -c $length /dev/zero | tr '\0' t)" to-$length
    done
    ln -s /nowhere/at/all dangling; ln -s self self; ln -s .. up
    ln -P to-4095 hard-long; ln -P dangling hard-short
    ln ../kinds/fifo hard-fifo; ln ../kinds/b-259-70000 hard-device; ln ../kinds/socket hard-socket
    """#

  private static let metadata = #"""
    mkdir owners times flags
    for owner in 65534:65535 65536:70000 70000:4000000000 4294967294:4294967294; do
      echo owned > owners/$owner; chown $owner owners/$owner
      ln -s x owners/link-$owner; chown -h $owner owners/link-$owner
    done
    stamp() { touch -h -d "$2 UTC" "times/$1"; }
    for file in a b c d e f g h; do echo $file > times/$file; done
    stamp a '1901-12-13 20:45:52'; stamp b '1950-06-01 12:00:00.123456789'
    stamp c '1969-12-31 23:59:59.999999999'; stamp d '1970-01-01 00:00:00.000000001'
    stamp e '2038-01-19 03:14:07.500000000'; stamp f '2038-01-19 03:14:08.999999999'
    stamp g '2150-06-01 12:00:00.987654321'; stamp h '2446-05-10 22:38:55.999999999'
    mkdir times/folder; ln -s x times/link; mkfifo times/pipe
    stamp folder '1903-01-01 00:00:00.000000007'; stamp link '2300-01-01 00:00:00.100000000'
    stamp pipe '1999-12-31 23:59:59.000000010'
    # Not every file system has every flag.
    for flag in i a d A S; do echo $flag > flags/$flag; chattr -f +$flag flags/$flag || true; done
    mkdir flags/folder; echo in > flags/folder/file; touch flags/empty
    for flag in d A; do chattr -f +$flag flags/empty || true; done
    for flag in d A D i; do chattr -f +$flag flags/folder || true; done
    """#

  private static let attributes = #"""
    mkdir attributes
    cd attributes
    for file in user empty many large name trusted label v2 v3 listed whole; do
      echo $file > $file
    done
    setfattr -n user.colour -v green user
    setfattr -n user.nothing user; setfattr -n user.bytes -v 0x00ff0a0080 empty
    for n in $(seq 60); do setfattr -n user.attribute-$n -v value-$n many; done
    setfattr -n user.large -v "$(head -c 3900 /dev/zero | tr '\0' v)" large
    setfattr -n "user.$(printf '\303\244\377')" -v x name
    setfattr -n "user.$(head -c 250 /dev/zero | tr '\0' n)" -v x name
    setfattr -n trusted.secret -v 0x00ff trusted
    setfattr -n security.selinux -v system_u:object_r:etc_t:s0 label
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 v2
    setfattr -n security.capability \
      -v 0x010000030020000000000000000000000000000070110100 v3
    setfacl -m u:70000:r-x,u:4000000000:r,g:12:rw-,m:rw listed
    for n in $(seq 1000 1060); do echo u:$n:rw; done | setfacl -M - whole
    mkdir inherited opaque; setfacl -m u:9:rwx -d -m u:70000:rwx,o::- inherited
    setfattr -n trusted.overlay.opaque -v y opaque
    ln -s user link; setfattr -h -n trusted.on-link -v yes link
    mkfifo pipe; setfattr -n trusted.on-pipe -v yes pipe
    chmod 4755 v2; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 v2
    """#

  /// A path longer than PATH_MAX, with a file at its end.
  private static let depth = #"""
    mkdir deep
    perl -e 'chdir "deep" or die;
      for (1 .. 20) { mkdir "d" x 250 or die; chdir "d" x 250 or die }
      open my $file, ">", "bottom" or die; print $file "deep\n"'
    """#
}
