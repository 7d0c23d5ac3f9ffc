// Command provider is a local OAuth2 provider with a mail server that takes its tokens, to try
// popsync auth login by hand:
//
//	go run ./internal/oauth/oauthtest/provider
//
// It prints a configuration. Its authorization page approves at once: a browser, or
// curl -sI ADDRESS, shows where it redirects to. Codes are approved at /activate?code=CODE.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"popsync/internal/oauth/oauthtest"
	"popsync/internal/poptest"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "where the provider answers")
	lifetime := flag.Duration("lifetime", time.Hour, "of an access token")
	rotate := flag.Bool("rotate", true, "give a new refresh token at each renewal")
	pending := flag.Int("pending", -1, "polls of a device before its code is approved; -1: by /activate")
	deny := flag.Bool("deny", false, "people say no")
	nodevice := flag.Bool("no-device", false, "refuse the device flow, as Google does for mail")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	p := oauthtest.NewAt("http://"+listener.Addr().String(), oauthtest.Options{
		Lifetime: *lifetime, Rotate: *rotate, Pending: *pending, Deny: *deny, NoDevice: *nodevice,
	})
	mail, err := poptest.Start(poptest.Options{SASL: []string{"XOAUTH2", "OAUTHBEARER"}})
	if err != nil {
		log.Fatal(err)
	}
	box := mail.Mailbox("alice@example.org")
	box.AcceptToken(p.Good)
	box.Add("1", []byte("From: bob@example.org\r\nSubject: It works\r\n\r\nThe first mail.\r\n"))
	fmt.Printf(`state: state.db
accounts:
  - name: work
    host: 127.0.0.1
    port: %d
    tls: none
    username: alice@example.org
    oauth2:
      provider: custom
      client_id: client
      scopes: [mail, offline_access]
      auth_url: %[2]s/authorize
      token_url: %[2]s/token
      device_url: %[2]s/device
    deliver: {maildir: Maildir}
`, mail.Port, p.URL)
	log.Fatal(http.Serve(listener, p))
}
