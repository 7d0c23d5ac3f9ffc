package pop3

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A throttled connection writes so many octets a second once rate is set.
type throttled struct {
	net.Conn
	rate int
}

func (s *throttled) Write(b []byte) (int, error) {
	if s.rate == 0 {
		return s.Conn.Write(b)
	}
	for i := range b {
		time.Sleep(time.Second / time.Duration(s.rate))
		if _, err := s.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// serverTLS is a server's side of TLS with a certificate of its own.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// slowMessage fetches a message of 40,000 octets, which is two long records and a short one, at
// rate octets a second.
func slowMessage(t *testing.T, config *tls.Config, stls bool, rate int) (size int64, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	var server sync.WaitGroup
	defer server.Wait()
	defer ours.Close()
	line := &throttled{Conn: theirs}
	server.Go(func() {
		defer theirs.Close()
		var conn net.Conn = line
		if stls {
			io.WriteString(conn, "+OK\r\n")
			io.ReadFull(conn, make([]byte, len("STLS\r\n")))
			io.WriteString(conn, "+OK\r\n")
		}
		secured := tls.Server(conn, config)
		if !stls {
			io.WriteString(secured, "+OK\r\n")
		}
		bufio.NewReader(secured).ReadString('\n')
		io.WriteString(secured, "+OK\r\n")
		line.rate = rate
		io.WriteString(secured, strings.Repeat(strings.Repeat("x", 78)+"\r\n", 500)+".\r\n")
	})
	trusting := &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true}
	conn := ours
	if !stls {
		secured, err := Secure(t.Context(), ours, trusting, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		conn = secured
	}
	c, err := NewClient(t.Context(), conn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stls {
		if err := c.STLS(t.Context(), trusting); err != nil {
			t.Fatal(err)
		}
	}
	err = c.Retr(t.Context(), slices.Values([]Message{{Number: 1}}), func(_ Message, b *Body, _ *ResponseError) error {
		size, err = io.Copy(io.Discard, b)
		return err
	})
	return size, err
}

// W10: over TLS a slow body is judged by what has come, as in the clear, and not by whole records.
func TestSlowBodyOverTLS(t *testing.T) {
	config := serverTLS(t)
	config.DynamicRecordSizingDisabled = true
	for _, stls := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			if size, err := slowMessage(t, config, stls, 100); err != nil || size != 40_000 {
				t.Errorf("at 100 octets a second, STLS %v: %d octets, %v", stls, size, err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			if size, err := slowMessage(t, config, stls, 50); !errors.Is(err, ErrTimeout) {
				t.Errorf("at 50 octets a second, STLS %v: %d octets, %v", stls, size, err)
			}
		})
	}
}

// W10: what comes late over TLS and is no body does not count: a reply has one wait.
func TestDrippingReplyOverTLS(t *testing.T) {
	config := serverTLS(t)
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		var server sync.WaitGroup
		defer server.Wait()
		defer ours.Close()
		line := &throttled{Conn: theirs}
		server.Go(func() {
			defer theirs.Close()
			secured := tls.Server(line, config)
			secured.Handshake()
			line.rate = 1
			io.WriteString(secured, "+OK "+strings.Repeat("x", 100)+"\r\n")
		})
		conn, err := Secure(t.Context(), ours, &tls.Config{InsecureSkipVerify: true}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(t.Context(), conn, Options{}); !errors.Is(err, ErrTimeout) {
			t.Errorf("%v", err)
		}
	})
}
