package main

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// A popServer is a server in this process that misbehaves to order.
type popServer struct {
	*poptest.Server
	port int
	ca   string
	put  atomic.Int64 // messages so far, for their UIDs
}

// startPop starts one; ca is the file with the certificate to trust, where there is TLS.
func startPop(o poptest.Options, ca string) (*popServer, error) {
	s, err := poptest.Start(o)
	if err != nil {
		return nil, err
	}
	return &popServer{Server: s, port: s.Port, ca: ca}, nil
}

// Port is [mailServer].Port. It speaks as it was started, whatever tls is.
func (s *popServer) Port(string) int { return s.port }

// CA is [mailServer].CA.
func (s *popServer) CA() string { return s.ca }

// Put is [mailServer].Put.
func (s *popServer) Put(user string, messages ...realtest.Message) (realtest.Census, error) {
	box := s.mailbox(user)
	for _, m := range messages {
		var raw bytes.Buffer
		if _, err := m.WriteTo(&raw); err != nil {
			return nil, err
		}
		box.Add(fmt.Sprintf("uid-%06d", s.put.Add(1)), bytes.ReplaceAll(raw.Bytes(), []byte("\n"), []byte("\r\n")))
	}
	return census(messages), nil
}

// Holds is [mailServer].Holds.
func (s *popServer) Holds(user string) (realtest.Census, error) {
	held := realtest.Census{}
	for _, m := range s.mailbox(user).Messages() {
		var raw bytes.Buffer
		if _, err := m.WriteTo(&raw); err != nil {
			return nil, err
		}
		held[sumOf(raw.Bytes())]++
	}
	return held, nil
}

func (s *popServer) mailbox(user string) *poptest.Mailbox {
	box := s.Server.Mailbox(user)
	box.SetPassword(realtest.Password)
	return box
}
