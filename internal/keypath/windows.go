package keypath

import (
	"fmt"
	"slices"
	"strings"
)

// faultOnWindows describes what makes a segment invalid on Windows, "" if nothing does. There a
// backslash is a separator, a colon begins the name of a stream, trailing dots and spaces are
// dropped, and some names are devices in every directory, whatever their extension
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
func faultOnWindows(segment string) string {
	if i := strings.IndexFunc(segment, func(r rune) bool { return r < ' ' || strings.ContainsRune(`<>:"\|?*`, r) }); i >= 0 {
		return fmt.Sprintf("it contains %q, which Windows does not allow in file names", segment[i])
	}
	if last := segment[len(segment)-1]; last == '.' || last == ' ' {
		return "it has a segment that ends in a dot or a space, which Windows drops"
	}
	stem, _, _ := strings.Cut(segment, ".")
	if stem = strings.TrimRight(stem, " "); slices.Contains(devices, strings.ToUpper(stem)) {
		return fmt.Sprintf("%q is a device on Windows", stem)
	}
	return ""
}

var devices = []string{
	"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
	"COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
	"LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
}
