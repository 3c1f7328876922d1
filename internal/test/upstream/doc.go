// Package upstream holds the tests of s3transfer's process pool that are carried over to this
// library. Each has the number of its model:
//
//   - F: tests/functional
//   - I: tests/integration
//   - U: tests/unit/test_processpool.py, in the order of that file
//   - Utils: tests/unit/test_utils.py
//   - T: the download tests of the transfer manager
//
// Where this library promises something else, the test asserts what the library promises. A test
// without a number asserts behavior that upstream has no test for.
//
// These have no counterpart:
//
//   - U2, client_kwargs are passed to a factory: there is no factory. TestSettingsCross asserts the
//     effect of the settings.
//   - U33, decrement returns the new value: the library does not return the number of jobs left.
//   - The coordinator is killed: there is no process between the application and the workers. See
//     TestNoOrphans in package faults.
//   - Utils, temporary names with an extension of another length: the extension always has 8
//     hexadecimal digits.
package upstream
