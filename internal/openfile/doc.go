// Package openfile opens files so that they can be renamed and removed while they are open, as everywhere
// but on Windows; there one must allow it (FILE_SHARE_DELETE), which package os does not.
package openfile
