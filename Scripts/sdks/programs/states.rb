# The program of the AWS SDK for Ruby v3: `states.rb walk [SIZE]` or `states.rb create NAME`, see ../kits.py.

require 'json'

begin
  require 'aws-sdk-states'
rescue LoadError
  # Debian has only the core of the SDK. The gem's client is generated: the operations as data, and the core's plugins.
  require 'aws-sdk-core'
  %w[
    seahorse/client/plugins/content_length aws-sdk-core/plugins/credentials_configuration aws-sdk-core/plugins/param_converter
    aws-sdk-core/plugins/param_validator aws-sdk-core/plugins/user_agent aws-sdk-core/plugins/helpful_socket_errors
    aws-sdk-core/plugins/retry_errors aws-sdk-core/plugins/global_configuration aws-sdk-core/plugins/regional_endpoint
    aws-sdk-core/plugins/response_paging aws-sdk-core/plugins/stub_responses aws-sdk-core/plugins/signature_v4
    aws-sdk-core/plugins/protocols/json_rpc
  ].each { |name| require name }

  module Aws::States
    module Errors
      extend Aws::Errors::DynamicErrors
    end

    module ClientApi
      include Seahorse::Model

      def self.text(name)
        Shapes::StringShape.new(name: name)
      end

      # A structure with the members {name: shape}, each required if its name is among `required`.
      def self.structure(name, members, required = [])
        Shapes::StructureShape.new(name: name).tap do |shape|
          members.each do |member, type|
            symbol = member.to_s.gsub(/([A-Z])/) { "_#{$1.downcase}" }.to_sym
            shape.add_member(symbol, Shapes::ShapeRef.new(shape: type, required: required.include?(member), location_name: member.to_s))
          end
          shape.struct_class = Aws::Structure.new(*shape.member_names)
        end
      end

      def self.operation(name, input, output)
        Operation.new.tap do |operation|
          operation.name = name
          operation.http_method = 'POST'
          operation.http_request_uri = '/'
          operation.input = Shapes::ShapeRef.new(shape: input)
          operation.output = Shapes::ShapeRef.new(shape: output)
        end
      end

      ITEM = structure('StateMachineListItem', {
        name: text('Name'), stateMachineArn: text('Arn'), type: text('StateMachineType'),
        creationDate: Shapes::TimestampShape.new(name: 'Timestamp') })
      LIST = Shapes::ListShape.new(name: 'StateMachineList')
      LIST.member = Shapes::ShapeRef.new(shape: ITEM)

      API = Api.new.tap do |api|
        api.metadata = {
          'apiVersion' => '2016-11-23', 'endpointPrefix' => 'states', 'jsonVersion' => '1.0', 'protocol' => 'json',
          'serviceFullName' => 'AWS Step Functions', 'serviceId' => 'SFN', 'signatureVersion' => 'v4',
          'targetPrefix' => 'AWSStepFunctions' }
        listing = operation(
          'ListStateMachines',
          structure('ListStateMachinesInput', { maxResults: Shapes::IntegerShape.new(name: 'PageSize'), nextToken: text('PageToken') }),
          structure('ListStateMachinesOutput', { stateMachines: LIST, nextToken: text('PageToken') }))
        listing[:pager] = Aws::Pager.new(limit_key: 'max_results', tokens: { 'next_token' => 'next_token' })
        api.add_operation(:list_state_machines, listing)
        api.add_operation(:create_state_machine, operation(
          'CreateStateMachine',
          structure('CreateStateMachineInput', { name: text('Name'), definition: text('Definition'), roleArn: text('Arn') },
                    %i[name definition roleArn]),
          structure('CreateStateMachineOutput', { stateMachineArn: text('Arn') })))
      end
    end

    class Client < Seahorse::Client::Base
      include Aws::ClientStubs

      @identifier = :states
      class << self
        attr_reader :identifier

        def errors_module
          Errors
        end
      end
      set_api(ClientApi::API)
      [
        Seahorse::Client::Plugins::ContentLength, Aws::Plugins::CredentialsConfiguration, Aws::Plugins::ParamConverter,
        Aws::Plugins::ParamValidator, Aws::Plugins::UserAgent, Aws::Plugins::HelpfulSocketErrors, Aws::Plugins::RetryErrors,
        Aws::Plugins::GlobalConfiguration, Aws::Plugins::RegionalEndpoint, Aws::Plugins::ResponsePaging,
        Aws::Plugins::StubResponses, Aws::Plugins::SignatureV4, Aws::Plugins::Protocols::JsonRpc
      ].each { |plugin| add_plugin(plugin) }
    end
  end
end

def run(client, answer)
  if ARGV[0] == 'create'
    client.create_state_machine(name: ARGV[1], definition: ENV['DEFINITION'], role_arn: ENV['ROLE'])
    return
  end
  input = ARGV[1] ? { max_results: Integer(ARGV[1]) } : {}
  client.list_state_machines(input).each do |page|
    answer[:statuses] << page.context.http_response.headers['cache-status'].to_s
    answer[:machines] += page.state_machines.map { |each| [each.name, each.state_machine_arn, each.type, each.creation_date.utc.to_s] }
  end
end

answer = { version: Aws::CORE_GEM_VERSION, machines: [], statuses: [], error: '' }
begin
  run(Aws::States::Client.new(endpoint: ENV['ENDPOINT']), answer)
rescue Aws::Errors::ServiceError => error
  raise unless error.is_a?(Aws::States::Errors::ServiceError)

  answer[:error] = error.code
end
puts JSON.generate(answer)
