"""Services that run, build and deploy."""

import json

ROLE = "arn:aws:iam::123456789012:role/check"
MACHINE = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})

STEPFUNCTIONS = {
    "makes": [
        ("CreateStateMachine", {"name": "machine-$n", "definition": MACHINE, "roleArn": ROLE}, {"machine": "stateMachineArn"}),
        ("CreateActivity", {"name": "activity-$n"}, {"activity": "activityArn"}),
        ("TagResource", {"resourceArn": "$machine", "tags": [{"key": "team", "value": "$n"}]}),
        ("StartExecution", {"stateMachineArn": "$machine", "name": "execution-$n", "input": "{}"}, {"execution": "executionArn"}),
    ],
    "ends": [
        ("UpdateStateMachine", {"stateMachineArn": "$machine", "definition": MACHINE, "roleArn": ROLE + "-2"}),
        ("StopExecution", {"executionArn": "$execution", "error": "E", "cause": "enough"}),
        ("UntagResource", {"resourceArn": "$machine", "tagKeys": ["team"]}),
        ("DeleteActivity", {"activityArn": "$activity"}),
        ("DeleteStateMachine", {"stateMachineArn": "$machine"}),
    ],
    "reads": [
        ("ListStateMachines", {}),
        ("ListActivities", {}),
        ("ListExecutions", {"stateMachineArn": "$machine"}),
        ("ListExecutions", {"stateMachineArn": "$machine", "statusFilter": "SUCCEEDED"}),
        ("ListTagsForResource", {"resourceArn": "$machine"}),
        ("DescribeStateMachine", {"stateMachineArn": "$machine"}),
        ("DescribeExecution", {"executionArn": "$execution"}),
    ],
    "errors": [
        ("DescribeStateMachine", {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:none"}),
        ("CreateStateMachine", {"name": "a b", "definition": MACHINE, "roleArn": ROLE}),
        ("StopExecution", {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:none:none"}),
    ],
}

ECS = {
    "makes": [
        ("CreateCluster", {"clusterName": "cluster-$n"}, {"cluster": "cluster.clusterArn"}),
        ("RegisterTaskDefinition", {
            "family": "family-$n", "containerDefinitions": [{"name": "one", "image": "image", "memory": 128}]},
         {"definition": "taskDefinition.taskDefinitionArn"}),
        ("CreateService", {
            "cluster": "cluster-$n", "serviceName": "service-$n", "taskDefinition": "$definition", "desiredCount": 1},
         {"service": "service.serviceArn"}),
        ("TagResource", {"resourceArn": "$service", "tags": [{"key": "team", "value": "$n"}]}),
    ],
    "ends": [
        ("UpdateService", {"cluster": "cluster-$n", "service": "service-$n", "desiredCount": 0}),
        ("UntagResource", {"resourceArn": "$service", "tagKeys": ["team"]}),
        ("DeleteService", {"cluster": "cluster-$n", "service": "service-$n", "force": True}),
        ("DeregisterTaskDefinition", {"taskDefinition": "$definition"}),
        ("DeleteCluster", {"cluster": "cluster-$n"}),
    ],
    "reads": [
        ("ListClusters", {}),
        ("DescribeClusters", {"clusters": ["cluster-$n"]}),
        ("ListTaskDefinitions", {}),
        ("DescribeTaskDefinition", {"taskDefinition": "$definition"}),
        ("ListServices", {"cluster": "cluster-$n"}),
        ("DescribeServices", {"cluster": "cluster-$n", "services": ["service-$n"]}),
        ("ListTagsForResource", {"resourceArn": "$service"}),
    ],
    "errors": [
        ("ListServices", {"cluster": "none"}),
        ("DeleteCluster", {"cluster": "none"}),
    ],
}

ECR = {
    "makes": [
        ("CreateRepository", {"repositoryName": "repository-$n"}, {"repository": "repository.repositoryArn"}),
        ("PutLifecyclePolicy", {"repositoryName": "repository-$n", "lifecyclePolicyText": json.dumps({"rules": [{
            "rulePriority": 1, "description": "old ones", "selection": {
                "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
            "action": {"type": "expire"}}]})}),
        ("TagResource", {"resourceArn": "$repository", "tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("PutImageTagMutability", {"repositoryName": "repository-$n", "imageTagMutability": "IMMUTABLE"}),
        ("UntagResource", {"resourceArn": "$repository", "tagKeys": ["team"]}),
        ("DeleteLifecyclePolicy", {"repositoryName": "repository-$n"}),
        ("DeleteRepository", {"repositoryName": "repository-$n"}),
    ],
    "reads": [
        ("DescribeRepositories", {}),
        ("DescribeRepositories", {"repositoryNames": ["repository-$n"]}),
        ("GetLifecyclePolicy", {"repositoryName": "repository-$n"}),
        ("ListImages", {"repositoryName": "repository-$n"}),
        ("ListTagsForResource", {"resourceArn": "$repository"}),
    ],
    "new": [
        ("GetAuthorizationToken", {}),
    ],
    "errors": [
        ("DescribeRepositories", {"repositoryNames": ["none"]}),
        ("ListImages", {"repositoryName": "none"}),
        ("CreateRepository", {"repositoryName": "Not/Allowed/"}),
    ],
}

CODEBUILD = {
    "makes": [
        ("CreateProject", {
            "name": "project-$n", "source": {"type": "S3", "location": "bucket/path"}, "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
            "serviceRole": "arn:aws:iam::123456789012:role/service-role/check"}),
        ("StartBuild", {"projectName": "project-$n"}, {"build": "build.id"}),
    ],
    "ends": [
        ("DeleteProject", {"name": "project-$n"}),
    ],
    "reads": [
        ("ListProjects", {}),
        ("BatchGetProjects", {"names": ["project-$n"]}),
        ("ListBuilds", {}),
        ("ListBuildsForProject", {"projectName": "project-$n"}),
    ],
    "errors": [
        ("ListBuildsForProject", {"projectName": "none"}),
        ("StartBuild", {"projectName": "none"}),
    ],
}

CODECOMMIT = {
    "makes": [
        ("CreateRepository", {"repositoryName": "code-$n", "repositoryDescription": "code of $n"}),
    ],
    "ends": [
        ("DeleteRepository", {"repositoryName": "code-$n"}),
    ],
    "reads": [
        ("GetRepository", {"repositoryName": "code-$n"}),
    ],
    "errors": [
        ("GetRepository", {"repositoryName": "none"}),
        ("GetRepository", {"repositoryName": "not?allowed"}),
    ],
}

SAGEMAKER = {
    "makes": [
        ("CreateModel", {"ModelName": "model-$n", "ExecutionRoleArn": ROLE}, {"model": "ModelArn"}),
        ("CreateEndpointConfig", {"EndpointConfigName": "config-$n", "ProductionVariants": [
            {"VariantName": "one", "ModelName": "model-$n", "InitialInstanceCount": 1, "InstanceType": "ml.t2.medium"}]}),
        ("CreateEndpoint", {"EndpointName": "endpoint-$n", "EndpointConfigName": "config-$n"}),
        ("CreateExperiment", {"ExperimentName": "experiment-$n"}),
        ("AddTags", {"ResourceArn": "$model", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("DeleteTags", {"ResourceArn": "$model", "TagKeys": ["team"]}),
        ("DeleteExperiment", {"ExperimentName": "experiment-$n"}),
        ("DeleteEndpoint", {"EndpointName": "endpoint-$n"}),
        ("DeleteEndpointConfig", {"EndpointConfigName": "config-$n"}),
        ("DeleteModel", {"ModelName": "model-$n"}),
    ],
    "reads": [
        ("ListModels", {}),
        ("DescribeModel", {"ModelName": "model-$n"}),
        ("ListEndpointConfigs", {}),
        ("DescribeEndpointConfig", {"EndpointConfigName": "config-$n"}),
        ("ListEndpoints", {}),
        ("DescribeEndpoint", {"EndpointName": "endpoint-$n"}),
        ("ListExperiments", {}),
        ("ListTags", {"ResourceArn": "$model"}),
    ],
    "errors": [
        ("DescribeModel", {"ModelName": "none"}),
        ("DescribeEndpoint", {"EndpointName": "none"}),
    ],
}

TRANSCRIBE = {
    "makes": [
        ("StartTranscriptionJob", {
            "TranscriptionJobName": "job-$n", "LanguageCode": "en-US", "Media": {"MediaFileUri": "s3://bucket/$n.mp4"}}),
        ("CreateVocabulary", {"VocabularyName": "words-$n", "LanguageCode": "en-US", "Phrases": ["one", "two"]}),
    ],
    "ends": [
        ("DeleteTranscriptionJob", {"TranscriptionJobName": "job-$n"}),
        ("DeleteVocabulary", {"VocabularyName": "words-$n"}),
    ],
    "reads": [
        ("ListTranscriptionJobs", {}),
        ("ListTranscriptionJobs", {"Status": "COMPLETED"}),
        ("ListVocabularies", {}),
        ("GetVocabulary", {"VocabularyName": "words-$n"}),
    ],
    "errors": [
        ("GetTranscriptionJob", {"TranscriptionJobName": "none"}),
        ("GetVocabulary", {"VocabularyName": "none"}),
    ],
}

SCENES = {
    "stepfunctions": STEPFUNCTIONS,
    "ecs": ECS,
    "ecr": ECR,
    "codebuild": CODEBUILD,
    "codecommit": CODECOMMIT,
    "sagemaker": SAGEMAKER,
    "transcribe": TRANSCRIBE,
}
