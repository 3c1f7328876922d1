// Package hostile tests what the library does when others act against it or forbid what it asks
// for: servers that send answers without an end, workers that break the protocol or keep their
// files, other users of the machine, and sandboxes around the application. Each test asserts that
// the costs are bounded, that the destination is as it was before or complete, and that nothing is
// left behind.
package hostile
