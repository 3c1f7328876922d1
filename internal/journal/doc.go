// Package journal records, beside a download that can be interrupted, which of its bytes are on
// stable storage in the partial file. It knows bytes and no network.
//
// A journal is a header and records, each with a CRC32C of its own, little-endian:
//
//	header  magic    8 bytes  "\x89ppjrnl\n"
//	        format   4        1
//	        length   4        of the body
//	        body     JSON: Header and a random Salt
//	        CRC32C   4        of all before it
//	record  offset   8        in the object
//	        length   8
//	        sum      8        the range's checksum, of the header's algorithm
//	        kind     4        0
//	        CRC32C   4        of the header's CRC32C and the 28 bytes before
//
// Records are only appended. Reading ends at the first record that is short or does not match its
// CRC: the rest of an interrupted write, or bytes of an older journal that a file system restored,
// whose records began with the CRC of another header. Where two records overlap, the later one is
// valid.
package journal
