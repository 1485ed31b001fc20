package cli

import (
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is that of a terminal.
const helpWidth = 80

// addTemplateFuncs runs once: cobra keeps the functions of all commands of the process in one map without a lock.
var addTemplateFuncs = sync.OnceFunc(func() {
	cobra.AddTemplateFunc("wrapped", func(s string) string { return wrap(s, helpWidth) })
	cobra.AddTemplateFunc("flagLines", flagLines)
})

// setHelp makes the help of every command fit a terminal.
func setHelp(root *cobra.Command) {
	addTemplateFuncs()
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate("{{with (or .Long .Short)}}{{. | wrapped}}\n\n{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}")
}

func flagLines(f *pflag.FlagSet) string {
	return strings.TrimRight(f.FlagUsagesWrapped(helpWidth), "\n ")
}

// wrap breaks each line of a text between words.
func wrap(s string, width int) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		length := 0
		var b strings.Builder
		for word := range strings.FieldsSeq(line) {
			switch {
			case length == 0:
			case length+1+len(word) > width:
				b.WriteByte('\n')
				length = 0
			default:
				b.WriteByte(' ')
				length++
			}
			b.WriteString(word)
			length += len(word)
		}
		out = append(out, b.String())
	}
	return strings.Join(out, "\n")
}

const usageTemplate = `Usage:{{if or (not .HasAvailableSubCommands) .HasLocalFlags}}{{if .HasParent}}
  {{.UseLine}}{{end}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$all := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $all}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $all}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{flagLines .LocalFlags}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of all commands:
{{flagLines .InheritedFlags}}{{end}}{{if .HasAvailableSubCommands}}

{{.CommandPath}} COMMAND --help says more about a command.{{end}}
`
