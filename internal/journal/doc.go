// Package journal keeps, beside a download that may be cut off, which of its bytes are in the partial
// file for good. It knows bytes and no network.
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
// Records are only ever appended. Reading ends at the first that is short or does not match its CRC: a
// write that was cut off, or bytes of an older journal that a file system brought back, for those began with
// another header. Later records are the truth where they overlap earlier ones.
package journal
