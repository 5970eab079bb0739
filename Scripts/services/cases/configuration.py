"""Services of parameters, records, names and rules."""

ROLE = "arn:aws:iam::123456789012:role/check"

SSM = {
    "makes": [
        ("PutParameter", {"Name": "/check/$n", "Value": "value of $n", "Type": "String"}),
        ("CreateDocument", {
            "Name": "document-$n", "DocumentType": "Command", "DocumentFormat": "JSON",
            "Content": '{"schemaVersion": "2.2", "description": "nothing", "mainSteps": []}'}),
        ("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "/check/$n", "Tags": [{"Key": "team", "Value": "$n"}]}),
        ("CreateMaintenanceWindow", {
            "Name": "window-$n", "Schedule": "cron(15 12 * * ? *)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": False},
         {"window": "WindowId"}),
    ],
    "ends": [
        ("PutParameter", {"Name": "/check/$n", "Value": "changed", "Type": "String", "Overwrite": True}),
        ("RemoveTagsFromResource", {"ResourceType": "Parameter", "ResourceId": "/check/$n", "TagKeys": ["team"]}),
        ("DeleteMaintenanceWindow", {"WindowId": "$window"}),
        ("DeleteDocument", {"Name": "document-$n"}),
        ("DeleteParameter", {"Name": "/check/$n"}),
    ],
    "reads": [
        ("DescribeParameters", {}),
        ("GetParameter", {"Name": "/check/$n"}),
        ("GetParameters", {"Names": ["/check/$n", "/none"]}),
        ("GetParametersByPath", {"Path": "/check"}),
        ("GetParameterHistory", {"Name": "/check/$n"}),
        ("ListDocuments", {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}),
        ("DescribeDocument", {"Name": "document-$n"}),
        ("DescribeMaintenanceWindows", {}),
        ("ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": "/check/$n"}),
    ],
    "new": [
        ("GetParameter", {"Name": "/check/$n"}),
        ("GetParameters", {"Names": ["/check/$n"]}),
        ("GetParametersByPath", {"Path": "/check"}),
        ("GetParameterHistory", {"Name": "/check/$n"}),
    ],
    "errors": [
        ("GetParameter", {"Name": "/none"}),
        ("DescribeDocument", {"Name": "none-at-all"}),
        ("PutParameter", {"Name": "/check/a", "Value": "again", "Type": "String"}),
    ],
}

CONFIG = {
    "first": [
        ("PutConfigurationRecorder", {"ConfigurationRecorder": {
            "name": "recorder", "roleARN": ROLE, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}}),
        ("PutDeliveryChannel", {"DeliveryChannel": {"name": "channel", "s3BucketName": "bucket"}}),
    ],
    "makes": [
        ("PutConfigRule", {"ConfigRule": {
            "ConfigRuleName": "rule-$n", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}}}),
        ("PutConfigurationAggregator", {
            "ConfigurationAggregatorName": "aggregator-$n",
            "AccountAggregationSources": [{"AccountIds": ["123456789012"], "AllAwsRegions": True}]}),
    ],
    "ends": [
        ("StartConfigurationRecorder", {"ConfigurationRecorderName": "recorder"}),
        ("StopConfigurationRecorder", {"ConfigurationRecorderName": "recorder"}),
        ("DeleteConfigurationAggregator", {"ConfigurationAggregatorName": "aggregator-$n"}),
        ("DeleteConfigRule", {"ConfigRuleName": "rule-$n"}),
    ],
    "reads": [
        ("DescribeConfigurationRecorders", {}),
        ("DescribeConfigurationRecorderStatus", {}),
        ("DescribeDeliveryChannels", {}),
        ("DescribeConfigRules", {}),
        ("DescribeConfigRules", {"ConfigRuleNames": ["rule-$n"]}),
        ("DescribeConfigurationAggregators", {}),
    ],
    "errors": [
        ("DescribeConfigRules", {"ConfigRuleNames": ["none"]}),
        ("DescribeConfigurationAggregators", {"ConfigurationAggregatorNames": ["none"]}),
        ("StartConfigurationRecorder", {"ConfigurationRecorderName": "none"}),
    ],
}

CLOUDTRAIL = {
    "makes": [
        ("CreateTrail", {"Name": "trail-$n", "S3BucketName": "bucket"}, {"trail": "TrailARN"}),
        ("AddTags", {"ResourceId": "$trail", "TagsList": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("StartLogging", {"Name": "trail-$n"}),
        ("PutEventSelectors", {"TrailName": "trail-$n", "EventSelectors": [{"ReadWriteType": "All"}]}),
        ("RemoveTags", {"ResourceId": "$trail", "TagsList": [{"Key": "team", "Value": "$n"}]}),
        ("DeleteTrail", {"Name": "trail-$n"}),
    ],
    "reads": [
        ("ListTrails", {}),
        ("DescribeTrails", {}),
        ("GetTrail", {"Name": "trail-$n"}),
        ("GetTrailStatus", {"Name": "trail-$n"}),
        ("GetEventSelectors", {"TrailName": "trail-$n"}),
        ("ListTags", {"ResourceIdList": ["$trail"]}),
    ],
    "errors": [
        ("GetTrail", {"Name": "none"}),
        ("CreateTrail", {"Name": "-", "S3BucketName": "bucket"}),
        ("CreateTrail", {"Name": "not allowed", "S3BucketName": "bucket"}),
    ],
}

SERVICEDISCOVERY = {
    "makes": [
        ("CreateHttpNamespace", {"Name": "space-$n"}),
        ("CreateService", {"Name": "service-$n", "Description": "of $n"}, {"service": "Service.Id", "arn": "Service.Arn"}),
        ("TagResource", {"ResourceARN": "$arn", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("UpdateService", {"Id": "$service", "Service": {"Description": "changed"}}),
        ("UntagResource", {"ResourceARN": "$arn", "TagKeys": ["team"]}),
        ("DeleteService", {"Id": "$service"}),
    ],
    "reads": [
        ("ListNamespaces", {}),
        ("ListServices", {}),
        ("GetService", {"Id": "$service"}),
        ("ListOperations", {}),
        ("ListTagsForResource", {"ResourceARN": "$arn"}),
    ],
    "errors": [
        ("GetNamespace", {"Id": "ns-none"}),
        ("GetService", {"Id": "srv-none"}),
    ],
}

ROUTE53RESOLVER = {
    "makes": [
        ("CreateResolverRule", {
            "CreatorRequestId": "request-$n", "Name": "rule-$n", "RuleType": "FORWARD", "DomainName": "$n.example",
            "TargetIps": [{"Ip": "192.0.2.1", "Port": 53}]}, {"rule": "ResolverRule.Id", "arn": "ResolverRule.Arn"}),
        ("CreateResolverQueryLogConfig", {
            "CreatorRequestId": "log-$n", "Name": "log-$n", "DestinationArn": "arn:aws:s3:::bucket"},
         {"log": "ResolverQueryLogConfig.Id"}),
        ("TagResource", {"ResourceArn": "$arn", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("UntagResource", {"ResourceArn": "$arn", "TagKeys": ["team"]}),
        ("DeleteResolverRule", {"ResolverRuleId": "$rule"}),
    ],
    "reads": [
        ("ListResolverRules", {}),
        ("GetResolverRule", {"ResolverRuleId": "$rule"}),
        ("ListResolverQueryLogConfigs", {}),
        ("GetResolverQueryLogConfig", {"ResolverQueryLogConfigId": "$log"}),
        ("ListTagsForResource", {"ResourceArn": "$arn"}),
        ("ListResolverEndpoints", {}),
    ],
    "errors": [
        ("GetResolverRule", {"ResolverRuleId": "rslvr-rr-none"}),
        ("GetResolverEndpoint", {"ResolverEndpointId": "rslvr-none"}),
    ],
}

SCENES = {
    "ssm": SSM,
    "config": CONFIG,
    "cloudtrail": CLOUDTRAIL,
    "servicediscovery": SERVICEDISCOVERY,
    "route53resolver": ROUTE53RESOLVER,
}
