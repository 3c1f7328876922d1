package main

import (
	"crypto/aes"
	"crypto/cipher"
	"testing"
)

// BenchmarkOpen decrypts records of 16 KiB, as crypto/tls does: in place, with AES-128-GCM.
func BenchmarkOpen(b *testing.B) {
	const size = 16 << 10
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	nonce, header := make([]byte, 12), make([]byte, 5)
	sealed := aead.Seal(nil, nonce, make([]byte, size), header)
	record := make([]byte, len(sealed))
	b.SetBytes(size)
	for b.Loop() {
		copy(record, sealed) // the plain bytes are in its place
		if _, err := aead.Open(record[:0], nonce, record, header); err != nil {
			b.Fatal(err)
		}
	}
}
