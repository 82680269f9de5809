internal import SystemIO

/// Whether a directory is on a file system that the kernel makes up or keeps in memory, so that
/// what is in it belongs to the running system (linux/magic.h).
func isKernelMade(_ directory: Descriptor) -> Bool {
  // One that can't be told is taken for a disk's: then nothing is left out in silence.
  guard let magic = try? directory.fileSystemMagic() else { return false }
  return kernelFileSystems.contains(magic)
}

private let kernelFileSystems: Set<UInt32> = [
  0x9fa0,  // proc
  0x6265_6572,  // sysfs
  0x0102_1994,  // tmpfs and devtmpfs
  0x8584_58f6,  // ramfs
  0x1cd1,  // devpts
  0x0027_e0eb,  // cgroup
  0x6367_7270,  // cgroup2
  0x6462_6720,  // debugfs
  0x7472_6163,  // tracefs
  0x7363_6673,  // securityfs
  0x6265_6570,  // configfs
  0xcafe_4a11,  // bpf
  0x1980_0202,  // mqueue
  0x9584_58f6,  // hugetlbfs
  0x6165_676c,  // pstore
  0xde5e_81e4,  // efivarfs
  0x6573_5543,  // fusectl
  0x4249_4e4d,  // binfmt_misc
  0x0187,  // autofs
  0x6759_6969,  // rpc_pipefs
  0xf97c_ff8c,  // selinuxfs
  0x6e73_6673,  // nsfs
]
