package processpool_test

// The tests of s3transfer's process pool are carried over to this package. Each
// bears the number of its model and is found by it: F of tests/functional, I of
// tests/integration, U of tests/unit/test_processpool.py in the order of that file,
// Utils of test_utils.py, T of the transfer manager's download tests, and 2e of what
// upstream has no test for, because it behaves badly there. Where this library
// promises something else, the test has what it promises.
//
// No counterpart: U2 (client_kwargs are handed to a factory): there is none; what the settings come to is TestSettingsCross.
// No counterpart: U33 (decrement returns the new value): nobody asks what is left; a range that arrives is the scheduler's event.
// No counterpart: 2e, coordinator killed: there is no process between the application and the workers; see TestNoOrphans.
// No counterpart: Utils, temporary names with an extension of another length: it is always 8 hex digits.
//
// 2e, bytes corrupted on the way under each kind of checksum: TestVerifyFlippedBit.
