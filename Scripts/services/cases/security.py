"""Services of keys, users, accounts and certificates."""

import json

INSTANCE = "arn:aws:sso:::instance/ssoins-aaaabbbbccccdddd"
NO_KEY = "11111111-2222-3333-4444-555555555555"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

KMS = {
    "makes": [
        ("CreateKey", {"Description": "key $n"}, {"key": "KeyMetadata.KeyId"}),
        ("CreateAlias", {"AliasName": "alias/key-$n", "TargetKeyId": "$key"}),
        ("TagResource", {"KeyId": "$key", "Tags": [{"TagKey": "team", "TagValue": "$n"}]}),
        ("EnableKeyRotation", {"KeyId": "$key"}),
    ],
    "ends": [
        ("UpdateKeyDescription", {"KeyId": "$key", "Description": "changed"}),
        ("DisableKeyRotation", {"KeyId": "$key"}),
        ("UntagResource", {"KeyId": "$key", "TagKeys": ["team"]}),
        ("DeleteAlias", {"AliasName": "alias/key-$n"}),
        ("DisableKey", {"KeyId": "$key"}),
        ("ScheduleKeyDeletion", {"KeyId": "$key", "PendingWindowInDays": 7}),
    ],
    "reads": [
        ("ListKeys", {}),
        ("ListAliases", {}),
        ("DescribeKey", {"KeyId": "$key"}),
        ("DescribeKey", {"KeyId": "alias/key-$n"}),
        ("GetKeyRotationStatus", {"KeyId": "$key"}),
        ("GetKeyPolicy", {"KeyId": "$key", "PolicyName": "default"}),
        ("ListResourceTags", {"KeyId": "$key"}),
    ],
    "new": [
        ("GenerateRandom", {"NumberOfBytes": 16}),
        ("GenerateDataKey", {"KeyId": "$key", "KeySpec": "AES_256"}),
    ],
    "errors": [
        ("DescribeKey", {"KeyId": NO_KEY}),
        ("CreateAlias", {"AliasName": "without-prefix", "TargetKeyId": NO_KEY}),
        ("CreateAlias", {"AliasName": "alias/aws/mine", "TargetKeyId": NO_KEY}),
    ],
}

SECRETSMANAGER = {
    "makes": [
        ("CreateSecret", {"Name": "secret-$n", "SecretString": "hidden"}, {"secret": "ARN"}),
        ("TagResource", {"SecretId": "secret-$n", "Tags": [{"Key": "team", "Value": "$n"}]}),
        ("PutSecretValue", {"SecretId": "secret-$n", "SecretString": "better hidden"}),
        ("PutResourcePolicy", {"SecretId": "secret-$n", "ResourcePolicy": POLICY}),
    ],
    "ends": [
        ("UpdateSecret", {"SecretId": "secret-$n", "Description": "changed"}),
        ("UntagResource", {"SecretId": "secret-$n", "TagKeys": ["team"]}),
        ("DeleteResourcePolicy", {"SecretId": "secret-$n"}),
        ("DeleteSecret", {"SecretId": "secret-$n", "ForceDeleteWithoutRecovery": True}),
    ],
    "reads": [
        ("ListSecrets", {}),
        ("DescribeSecret", {"SecretId": "secret-$n"}),
        ("GetSecretValue", {"SecretId": "secret-$n"}),
        ("ListSecretVersionIds", {"SecretId": "secret-$n"}),
        ("GetResourcePolicy", {"SecretId": "secret-$n"}),
    ],
    "new": [
        ("GetSecretValue", {"SecretId": "secret-$n"}),
        ("GetRandomPassword", {}),
    ],
    "errors": [
        ("DescribeSecret", {"SecretId": "none"}),
        ("GetSecretValue", {"SecretId": "none"}),
        ("CreateSecret", {"Name": "secret-a", "SecretString": "again"}),
    ],
}

COGNITO_IDP = {
    "makes": [
        ("CreateUserPool", {"PoolName": "pool-$n"}, {"pool": "UserPool.Id"}),
        ("CreateUserPoolClient", {"UserPoolId": "$pool", "ClientName": "client-$n"}, {"client": "UserPoolClient.ClientId"}),
        ("CreateGroup", {"UserPoolId": "$pool", "GroupName": "group-$n"}),
        ("AdminCreateUser", {"UserPoolId": "$pool", "Username": "user-$n"}),
        ("AdminAddUserToGroup", {"UserPoolId": "$pool", "Username": "user-$n", "GroupName": "group-$n"}),
    ],
    "ends": [
        ("AdminDisableUser", {"UserPoolId": "$pool", "Username": "user-$n"}),
        ("UpdateGroup", {"UserPoolId": "$pool", "GroupName": "group-$n", "Description": "changed"}),
        ("AdminRemoveUserFromGroup", {"UserPoolId": "$pool", "Username": "user-$n", "GroupName": "group-$n"}),
        ("AdminDeleteUser", {"UserPoolId": "$pool", "Username": "user-$n"}),
        ("DeleteGroup", {"UserPoolId": "$pool", "GroupName": "group-$n"}),
        ("DeleteUserPoolClient", {"UserPoolId": "$pool", "ClientId": "$client"}),
        ("DeleteUserPool", {"UserPoolId": "$pool"}),
    ],
    "reads": [
        ("ListUserPools", {"MaxResults": 10}),
        ("DescribeUserPool", {"UserPoolId": "$pool"}),
        ("ListUserPoolClients", {"UserPoolId": "$pool"}),
        ("ListGroups", {"UserPoolId": "$pool"}),
        ("GetGroup", {"UserPoolId": "$pool", "GroupName": "group-$n"}),
        ("ListUsers", {"UserPoolId": "$pool"}),
        ("AdminGetUser", {"UserPoolId": "$pool", "Username": "user-$n"}),
        ("ListUsersInGroup", {"UserPoolId": "$pool", "GroupName": "group-$n"}),
    ],
    "new": [
        ("DescribeUserPoolClient", {"UserPoolId": "$pool", "ClientId": "$client"}),
    ],
    "errors": [
        ("DescribeUserPool", {"UserPoolId": "us-east-1_none"}),
        ("ListGroups", {"UserPoolId": "us-east-1_none"}),
    ],
}

COGNITO_IDENTITY = {
    "makes": [
        ("CreateIdentityPool", {"IdentityPoolName": "identities-$n", "AllowUnauthenticatedIdentities": True},
         {"pool": "IdentityPoolId"}),
    ],
    "ends": [
        ("UpdateIdentityPool", {
            "IdentityPoolId": "$pool", "IdentityPoolName": "changed-$n", "AllowUnauthenticatedIdentities": False}),
        ("DeleteIdentityPool", {"IdentityPoolId": "$pool"}),
    ],
    "reads": [
        ("ListIdentityPools", {"MaxResults": 10}),
        ("DescribeIdentityPool", {"IdentityPoolId": "$pool"}),
        ("ListIdentities", {"IdentityPoolId": "$pool", "MaxResults": 10}),
    ],
    "errors": [
        ("DescribeIdentityPool", {"IdentityPoolId": "us-east-1:" + NO_KEY}),
    ],
}

ORGANIZATIONS = {
    "first": [
        ("CreateOrganization", {"FeatureSet": "ALL"}),
    ],
    "makes": [
        ("CreateAccount", {"AccountName": "account-$n", "Email": "$n@example.com"}, {"account": "CreateAccountStatus.AccountId"}),
        ("CreatePolicy", {"Name": "policy-$n", "Description": "of $n", "Type": "SERVICE_CONTROL_POLICY", "Content": POLICY},
         {"policy": "Policy.PolicySummary.Id"}),
        ("AttachPolicy", {"PolicyId": "$policy", "TargetId": "$account"}),
        ("TagResource", {"ResourceId": "$account", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("UpdatePolicy", {"PolicyId": "$policy", "Name": "changed-$n"}),
        ("UntagResource", {"ResourceId": "$account", "TagKeys": ["team"]}),
        ("DetachPolicy", {"PolicyId": "$policy", "TargetId": "$account"}),
        ("DeletePolicy", {"PolicyId": "$policy"}),
    ],
    "reads": [
        ("DescribeOrganization", {}),
        ("ListRoots", {}),
        ("ListAccounts", {}),
        ("DescribeAccount", {"AccountId": "$account"}),
        ("ListPolicies", {"Filter": "SERVICE_CONTROL_POLICY"}),
        ("DescribePolicy", {"PolicyId": "$policy"}),
        ("ListPoliciesForTarget", {"TargetId": "$account", "Filter": "SERVICE_CONTROL_POLICY"}),
        ("ListTargetsForPolicy", {"PolicyId": "$policy"}),
        ("ListTagsForResource", {"ResourceId": "$account"}),
    ],
    "errors": [
        ("DescribeAccount", {"AccountId": "000000000000"}),
        ("DescribePolicy", {"PolicyId": "p-none0000"}),
    ],
}

SSO_ADMIN = {
    "makes": [
        ("CreatePermissionSet", {"InstanceArn": INSTANCE, "Name": "set-$n"}, {"set": "PermissionSet.PermissionSetArn"}),
        ("PutInlinePolicyToPermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set", "InlinePolicy": POLICY}),
    ],
    "ends": [
        ("UpdatePermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set", "Description": "changed"}),
        ("DeleteInlinePolicyFromPermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set"}),
        ("DeletePermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set"}),
    ],
    "reads": [
        ("ListPermissionSets", {"InstanceArn": INSTANCE}),
        ("DescribePermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set"}),
        ("GetInlinePolicyForPermissionSet", {"InstanceArn": INSTANCE, "PermissionSetArn": "$set"}),
    ],
    "errors": [
        ("DescribePermissionSet", {
            "InstanceArn": INSTANCE, "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-aaaabbbbccccdddd/ps-aaaabbbbccccdddd"}),
    ],
}

ACM = {
    "makes": [
        ("RequestCertificate", {"DomainName": "$n.example.com", "ValidationMethod": "DNS"}, {"certificate": "CertificateArn"}),
        ("AddTagsToCertificate", {"CertificateArn": "$certificate", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("RemoveTagsFromCertificate", {"CertificateArn": "$certificate", "Tags": [{"Key": "team"}]}),
        ("DeleteCertificate", {"CertificateArn": "$certificate"}),
    ],
    "reads": [
        ("ListCertificates", {}),
        ("ListTagsForCertificate", {"CertificateArn": "$certificate"}),
    ],
    "errors": [
        ("DescribeCertificate", {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/" + NO_KEY}),
    ],
}

WAFV2 = {
    "makes": [
        ("CreateIPSet", {"Name": "set-$n", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": ["192.0.2.0/24"]},
         {"set": "Summary.Id", "lock": "Summary.LockToken"}),
        ("CreateWebACL", {
            "Name": "list-$n", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "Rules": [],
            "VisibilityConfig": {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}},
         {"list": "Summary.Id", "key": "Summary.LockToken", "arn": "Summary.ARN"}),
        ("TagResource", {"ResourceARN": "$arn", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("UntagResource", {"ResourceARN": "$arn", "TagKeys": ["team"]}),
        ("DeleteWebACL", {"Name": "list-$n", "Scope": "REGIONAL", "Id": "$list", "LockToken": "$key"}),
        ("DeleteIPSet", {"Name": "set-$n", "Scope": "REGIONAL", "Id": "$set", "LockToken": "$lock"}),
    ],
    "reads": [
        ("ListIPSets", {"Scope": "REGIONAL"}),
        ("GetIPSet", {"Name": "set-$n", "Scope": "REGIONAL", "Id": "$set"}),
        ("ListWebACLs", {"Scope": "REGIONAL"}),
        ("GetWebACL", {"Name": "list-$n", "Scope": "REGIONAL", "Id": "$list"}),
        ("ListTagsForResource", {"ResourceARN": "$arn"}),
    ],
    "errors": [
        ("GetIPSet", {"Name": "none", "Scope": "REGIONAL", "Id": NO_KEY}),
        ("GetWebACL", {"Name": "none", "Scope": "REGIONAL", "Id": NO_KEY}),
    ],
}

SCENES = {
    "kms": KMS,
    "secretsmanager": SECRETSMANAGER,
    "cognito-idp": COGNITO_IDP,
    "cognito-identity": COGNITO_IDENTITY,
    "organizations": ORGANIZATIONS,
    "sso-admin": SSO_ADMIN,
    "acm": ACM,
    "wafv2": WAFV2,
}
