// The program of the AWS SDK for Go v1: `main walk [SIZE]` or `main create NAME`, see ../../kits.py.
package main

import (
	"encoding/json"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/sfn"
)

type answer struct {
	Version  string     `json:"version"`
	Machines [][]string `json:"machines"`
	Statuses []string   `json:"statuses"`
	Error    string     `json:"error"`
}

func main() {
	client := sfn.New(session.Must(session.NewSession(aws.NewConfig().WithEndpoint(os.Getenv("ENDPOINT")))))
	answer := answer{Version: aws.SDKVersion}
	client.Handlers.Complete.PushBack(func(r *request.Request) {
		if r.Error == nil {
			answer.Statuses = append(answer.Statuses, r.HTTPResponse.Header.Get("Cache-Status"))
		}
	})
	err := run(client, &answer)
	if known, ok := err.(awserr.Error); ok {
		answer.Error = known.Code()
	} else if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func run(client *sfn.SFN, answer *answer) error {
	if os.Args[1] == "create" {
		_, err := client.CreateStateMachine(&sfn.CreateStateMachineInput{
			Name:       aws.String(os.Args[2]),
			Definition: aws.String(os.Getenv("DEFINITION")),
			RoleArn:    aws.String(os.Getenv("ROLE")),
		})
		return err
	}
	input := &sfn.ListStateMachinesInput{}
	if len(os.Args) > 2 {
		size, err := strconv.ParseInt(os.Args[2], 10, 64)
		if err != nil {
			return err
		}
		input.MaxResults = aws.Int64(size)
	}
	return client.ListStateMachinesPages(input, func(page *sfn.ListStateMachinesOutput, isLast bool) bool {
		for _, each := range page.StateMachines {
			answer.Machines = append(answer.Machines, []string{
				aws.StringValue(each.Name), aws.StringValue(each.StateMachineArn), aws.StringValue(each.Type),
				aws.TimeValue(each.CreationDate).UTC().String(),
			})
		}
		return true
	})
}
