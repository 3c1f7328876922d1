// Package exchange tests whole conversations between an application and its workers, without
// processes: random messages, right and wrong ones, come through the checks of package pool to a
// real loop with real downloads. Whatever workers say, nothing panics, every download ends, and
// nothing is left.
//
//	go test ./internal/test/exchange
//	go test ./internal/test/exchange -run '^$' -fuzz FuzzExchange -fuzztime 5m
package exchange
