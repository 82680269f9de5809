/// What a tree holds as text, by the field's own tools, on this machine and in a guest alike.
enum TreeListing {
  /// A shell script that lists the tree in the current directory; Debian's essential packages,
  /// attr and e2fsprogs run it.
  ///
  /// Left out is what the converter makes or changes: lost+found, fstab, the unit that grows the
  /// root, and the content of /run.
  static let script = #"""
    # Lists the tree in the current directory, one line an entry and subject, in a fixed order.
    export LC_ALL=C TZ=UTC
    set -f
    skip="-path ./lost+found -o -path ./etc/fstab -o -path ./usr/local/sbin/ingot-grow-root
      -o -path ./etc/systemd/system/ingot-grow-root.service
      -o -path ./etc/systemd/system/local-fs.target.wants -o -path ./run/*"
    entries() { find . -mindepth 1 \( $skip \) -prune -o "$@"; }
    lines() { sort -z | tr '\n\0' '\001\n' | sed "s/^/$1 /"; }

    entries -type l -printf '%p|%y|%U|%G|%n|%T@|%l\0' -o -type d -printf '%p|%y|%m|%U|%G|%T@\0' \
      -o -type f -printf '%p|%y|%m|%U|%G|%n|%s|%T@\0' -o -printf '%p|%y|%m|%U|%G|%n|%T@\0' |
      lines entry
    entries \( -type b -o -type c \) -print0 |
      xargs -0 -r stat --printf '%n %F %t:%T\0' | lines device
    # What is one file under several names: each name with the first one.
    entries ! -type d -links +1 -printf '%i %p\0' | sort -z | perl -0 -ne '
      chomp; my ($inode, $name) = split / /, $_, 2; $first{$inode} //= $name;
      print "$name = $first{$inode}\0"' | lines link
    entries -type f ! -path './holes/*' ! -path './deep/*' -print0 | xargs -0 -r sha256sum -z |
      lines content
    [ ! -d deep ] || find deep -type f -execdir sha256sum -z {} + | lines deep
    # Files with holes: where data stands (lseek(2) with SEEK_DATA and SEEK_HOLE), and the data.
    [ ! -d holes ] || perl -e '
      $| = 1;
      for my $name (sort grep { -f } glob("holes/*")) {
        open my $file, "<", $name or die "$name: $!";
        open my $sum, "|-", "sha256sum" or die;
        my ($at, $end, $map) = (0, 0, "");
        while (defined($at = sysseek $file, $end, 3)) {
          $end = sysseek $file, $at, 4;
          $map .= sprintf " %d-%d", $at, $end;
          sysseek $file, $at, 0;
          for (my $left = $end - $at; $left > 0; $left -= length $piece) {
            sysread $file, $piece, $left < 65536 ? $left : 65536 or die "$name: $!";
            print $sum $piece;
          }
        }
        print "hole $name$map ";
        close $sum;
      }'
    entries ! -path './deep/*' -print0 | sort -z | xargs -0 -r getfattr -h -d -m - -e hex |
      perl -00 -ne 'my ($file, @names) = split /\n/; print map { "attribute $file $_\n" } @names'
    # Extents and an index are the file system'"'"'s own business.
    [ ! -d flags ] || (cd flags && set +f && lsattr -d * | tr -d 'eI-' | sed 's/^/flag /')

    """#

  /// An expression for lines of what a tar does not keep.
  ///
  /// GNU tar leaves out sockets, inode flags and that a pipe or a device has several names;
  /// libarchive loses the sign of a time in the second before 1970.
  static let lostByTar =
    #"^flag |socket|links/hard-(fifo|device)|kinds/(fifo|b-259-70000)\||= ./kinds/|times/c\|"#
}
