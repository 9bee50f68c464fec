// Command argo-events is Argo Events and a NATS server for tests in one program, and runs one of them as a pod would
// be run. The name that it is called by, or else its first argument, selects what it does.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	argoevents "github.com/argoproj/argo-events/cmd/commands"
	nats "github.com/nats-io/nats-server/v2/server"
)

// commands are the programs by name. Each one reads its arguments from os.Args.
var commands = map[string]func() error{
	"argo-events": func() error { argoevents.Execute(); return nil },
	"nats-server": runNATS,
	"pod":         runPod,
	insidePod:     runInsidePod,
}

func main() {
	os.Args[0] = filepath.Base(os.Args[0])
	if commands[os.Args[0]] == nil && len(os.Args) > 1 {
		os.Args = os.Args[1:]
	}
	run := commands[os.Args[0]]
	if run == nil {
		names := strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
		fmt.Fprintln(os.Stderr, "The first argument must be one of:", names)
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
}

func runNATS() error {
	flags := flag.NewFlagSet("nats-server", flag.ExitOnError)
	options, err := nats.ConfigureOptions(flags, os.Args[1:], nats.PrintServerAndExit, flags.Usage, nats.PrintTLSHelpAndDie)
	if err != nil {
		return err
	}
	server, err := nats.NewServer(options)
	if err != nil {
		return err
	}
	server.ConfigureLogger()
	if err := nats.Run(server); err != nil {
		return err
	}
	server.WaitForShutdown()
	return nil
}
