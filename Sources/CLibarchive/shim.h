// The public interface of libarchive.
#include <archive.h>
#include <archive_entry.h>

// Macros with a cast or a sum, which Swift doesn't see.
static const unsigned int ingot_ae_ifmt = AE_IFMT;
static const unsigned int ingot_ae_ifreg = AE_IFREG;
static const unsigned int ingot_ae_iflnk = AE_IFLNK;
static const unsigned int ingot_ae_ifsock = AE_IFSOCK;
static const unsigned int ingot_ae_ifchr = AE_IFCHR;
static const unsigned int ingot_ae_ifblk = AE_IFBLK;
static const unsigned int ingot_ae_ifdir = AE_IFDIR;
static const unsigned int ingot_ae_ififo = AE_IFIFO;
static const int ingot_acl_type_nfs4 = ARCHIVE_ENTRY_ACL_TYPE_NFS4;
