package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// hasDisplay reports whether a browser that is opened here could show itself to the person.
func hasDisplay(getenv func(string) string) bool {
	if runtime.GOOS == "darwin" {
		return getenv("SSH_CONNECTION") == ""
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

// openBrowser shows url in the person's browser, which gets env and goes on living without us. It
// says nothing: the terminal is ours.
func openBrowser(env []string, url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	cmd := exec.Command(program, url)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for popsync alone
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
